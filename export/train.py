"""Trains a model on MNIST; an interrupted run goes on where its last epoch ended."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from export import checkpoint, outliers
from export.batches import DEVICE, Examples
from export.calibrate import calibrate
from export.checkpoint import CHECKPOINT, sha256
from export.data import load_train, mnist_folder
from export.distill import Teachers
from export.errors import ExportError
from export.model import TEACHER, TRAINED
from export.recipe import Recipe, recipe_for
from export.run import LAST, REPORT, Run
from export.scenes import drawn, photographed, plain
from service.settings import WEIGHTS


def train(
    model: str,
    recipe: Recipe,
    learn: Examples,
    validate: Mapping[str, Examples],
    folder: Path,
    start: nn.Module | None = None,
    teachers: Teachers | None = None,
) -> Path:
    """Train, or go on with the run that `folder` holds; returns it, with the best checkpoint and the report in it."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(model, recipe, learn, teachers)
    if start is not None:
        run.model.load_state_dict(start.state_dict())
    run.resume(folder)
    with tqdm(total=recipe.epochs * run.steps, initial=run.epoch * run.steps, unit="batch") as bar:
        for _ in range(run.epoch, recipe.epochs):
            run.one_epoch(learn, validate, bar)
            run.save(folder)
    return folder


def publish(
    model: str, run: Path, validate: Mapping[str, Examples], folder: Path, lineage: Mapping[str, Any] | None = None
) -> None:
    """Put the calibrated checkpoint and the report of a finished run into a model's folder, for `make export`.

    `lineage` holds the reports of the runs that this one builds on; they are kept within its own.
    """
    network = checkpoint.load(model, run / CHECKPOINT).to(DEVICE)
    report = json.loads((run / REPORT).read_text())
    report["temperature"] = calibrate(network, Examples.together(validate.values()))
    report |= lineage or {}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.cpu().state_dict(), folder / CHECKPOINT)
    report["checkpoint_sha256"] = sha256(folder / CHECKPOINT)
    (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n")
    (run / LAST).unlink()


def main() -> None:
    """`make train`: weights/ changes only when the run has ended."""
    options = _options()
    try:
        done = _run(options)
    except ExportError as error:
        sys.exit(f"make train: {error}")
    except KeyboardInterrupt:
        sys.exit("make train: interrupted. Run it again to go on after the last whole epoch.")
    print(f"Trained: {done}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make train", description=__doc__)
    parser.add_argument("--model", choices=TRAINED, default="cnn-transformer")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--start", type=Path, help="a checkpoint to start from, in place of random weights")
    parser.add_argument("--teachers", type=Path, nargs="+", default=[], help="checkpoints of teachers to learn from")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    return parser.parse_args()


def _run(options: argparse.Namespace) -> str:
    """One whole run as the options have it; returns what to do with what came of it."""
    start = checkpoint.load(options.model, options.start) if options.start else None
    teachers = Teachers(options.teachers) if options.teachers else None
    recipe = _recipe(options)
    learn, validate = _material(recipe.seed)
    folder = options.runs / (f"{TEACHER}-{recipe.seed}" if options.model == TEACHER else options.model)
    train(options.model, recipe, learn, validate, folder, start, teachers)
    if options.model == TEACHER:
        return f"{folder / CHECKPOINT}. `make train TEACHERS={folder / CHECKPOINT}` learns from it."
    publish(options.model, folder, validate, options.weights / options.model, _lineage(options.start, options.teachers))
    return f"{options.weights / options.model}. `make export` turns the checkpoint into what is served."


def _recipe(options: argparse.Namespace) -> Recipe:
    """The model's own, but for what the options name."""
    named = {name: getattr(options, name) for name in ("epochs", "seed", "learning_rate")}
    return replace(
        recipe_for(options.model),
        **{name: value for name, value in named.items() if value is not None},
        start=sha256(options.start) if options.start else "",
        teachers=tuple(sha256(path) for path in options.teachers),
    )


def _lineage(start: Path | None, teachers: Sequence[Path]) -> dict[str, Any]:
    """The reports beside the checkpoints that a run builds on: `before` and `teachers`, where there are any."""
    before, *taught_by = [_report_beside(path) for path in (start, *teachers)]
    return {name: reports for name, reports in (("before", before), ("teachers", taught_by)) if reports}


def _report_beside(path: Path | None) -> dict[str, Any]:
    report = path.with_name(REPORT) if path else None
    return dict(json.loads(report.read_text())) if report and report.exists() else {}


def _material(seed: int) -> tuple[Examples, dict[str, Examples]]:
    """What is learnt, and what validates, from the same images of MNIST for every seed."""
    learning, validation = load_train(mnist_folder(os.environ))
    learn = Examples(plain(learning), photographed(learning, seed), drawn(seed), outliers.learnt(seed))
    validate = {
        "mnist": Examples(plain(validation)),
        "photographed": Examples(photographed(validation, seed + 1)),
    }
    return learn, validate


if __name__ == "__main__":
    main()
