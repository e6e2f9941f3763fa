"""Trains a model on MNIST; an interrupted run goes on where its last epoch ended."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from export import checkpoint, outliers
from export.batches import DEVICE, Examples
from export.calibrate import calibrate
from export.checkpoint import CHECKPOINT, sha256
from export.data import load_train, mnist_folder
from export.errors import ExportError
from export.model import ARCHITECTURES
from export.run import LAST, REPORT, Recipe, Run
from export.scenes import drawn, photographed, plain
from service.settings import WEIGHTS


def train(
    model: str,
    recipe: Recipe,
    learn: Examples,
    validate: Mapping[str, Examples],
    runs: Path,
    start: nn.Module | None = None,
) -> Path:
    """Train, or go on with the run that `runs` holds; returns the folder of its best checkpoint and report."""
    folder = runs / model
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(model, recipe, learn)
    if start is not None:
        run.model.load_state_dict(start.state_dict())
    run.resume(folder)
    with tqdm(total=recipe.epochs * run.steps, initial=run.epoch * run.steps, unit="batch") as bar:
        for _ in range(run.epoch, recipe.epochs):
            run.one_epoch(learn, validate, bar)
            run.save(folder)
    return folder


def publish(model: str, run: Path, validate: Mapping[str, Examples], folder: Path, before: Path | None = None) -> None:
    """Put the calibrated checkpoint and the report of a finished run into a model's folder, for `make export`.

    `before` is the report of the run whose checkpoint this one started from; it is kept within the new one.
    """
    network = checkpoint.load(model, run / CHECKPOINT).to(DEVICE)
    report = json.loads((run / REPORT).read_text())
    report["temperature"] = calibrate(network, Examples.together(validate.values()))
    if before is not None and before.exists():
        report["before"] = json.loads(before.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.cpu().state_dict(), folder / CHECKPOINT)
    report["checkpoint_sha256"] = sha256(folder / CHECKPOINT)
    (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n")
    (run / LAST).unlink()


def main() -> None:
    """`make train`: weights/ changes only when the run has ended."""
    parser = argparse.ArgumentParser(prog="make train", description=__doc__)
    parser.add_argument("--model", choices=ARCHITECTURES, default="cnn-transformer")
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument("--start", type=Path, help="a checkpoint to start from, in place of random weights")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    try:
        start = checkpoint.load(options.model, options.start) if options.start else None
        recipe = Recipe(
            epochs=options.epochs,
            learning_rate=options.learning_rate,
            seed=options.seed,
            start=sha256(options.start) if start else "",
        )
        learning, validation = load_train(mnist_folder(os.environ))
        learn = Examples(
            plain(learning), photographed(learning, recipe.seed), drawn(recipe.seed), outliers.learnt(recipe.seed)
        )
        validate = {
            "mnist": Examples(plain(validation)),
            "photographed": Examples(photographed(validation, recipe.seed + 1)),
        }
        run = train(options.model, recipe, learn, validate, options.runs, start)
        before = options.start.with_name(REPORT) if options.start else None
        publish(options.model, run, validate, options.weights / options.model, before)
    except ExportError as error:
        sys.exit(f"make train: {error}")
    except KeyboardInterrupt:
        sys.exit("make train: interrupted. Run it again to go on after the last whole epoch.")
    print(f"Trained: {options.weights / options.model}. `make export` turns the checkpoint into what is served.")


if __name__ == "__main__":
    main()
