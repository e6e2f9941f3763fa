"""Train a model on MNIST: data -> epochs -> checkpoint -> publish. A new start continues an interrupted run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from export.data.cache import DatasetCache
from export.data.mnist import cache_folder
from export.data.own_digits import OwnDigits, load_own_digits
from export.model import find_architecture
from export.model_folder import ModelFolder, RunFolder
from export.training.calibrate import calibrate
from export.training.checkpoint import Checkpoint, load_checkpoint, save_state, sha256
from export.training.data import TrainingData, load_data
from export.training.device_dataset import DEVICE
from export.training.recipe import Recipe
from export.training.report import describe_own_digits, write_report
from export.training.resume import check_resumable
from export.training.trainer import run_epochs
from export.training.validate import validate


def train_model(
    name: str,
    recipe: Recipe,
    mnist: Path | None,
    run: RunFolder,
    weights: ModelFolder,
    start_path: Path | None = None,
    teacher_paths: Sequence[Path] = (),
    own_folder: Path | None = None,
) -> dict[str, Any]:
    """Train the model `name` on MNIST in the folder `mnist`, and publish it in `weights`. Returns the report.

    start_path: a checkpoint to start from instead of random weights. teacher_paths: checkpoints to learn from, each in
    a folder with the name of its model. own_folder: own digits to train on, too. Raises ExportError if a name is
    unknown, a file cannot be used, or `run` holds an interrupted run of another recipe; that is before MNIST is loaded.
    """
    find_architecture(name)
    start = load_checkpoint(name, start_path, "Name another one with START, or START=random.") if start_path else None
    teachers = [load_checkpoint(path.parent.name, path).network for path in teacher_paths]
    own = load_own_digits(own_folder) if own_folder else None
    if own:
        print(f"Own digits: {len(own.training)} for training, {len(own.held_out)} held out for validation.")
    recipe = replace(
        recipe,
        start_sha256=sha256(start_path) if start_path else "",
        teacher_sha256=tuple(sha256(path) for path in teacher_paths),
    )
    recipe = recipe.with_own_digits(len(own.training), own.sha256) if own else recipe
    check_resumable(recipe.settings(name), run)
    data = load_data(recipe, mnist, DatasetCache(cache_folder("rendered")), own)
    run_epochs(name, recipe, data, run, start.network if start else None, teachers)
    return publish(name, run, weights, data, start, own)


def publish(
    name: str,
    run: RunFolder,
    weights: ModelFolder,
    data: TrainingData,
    start: Checkpoint | None = None,
    own: OwnDigits | None = None,
) -> dict[str, Any]:
    """Calibrate the best checkpoint of a finished run of the model `name`, and write it with its report to `weights`.

    Returns the report. It holds the accuracy of `start`, too, and the report of the run that trained it, if that lies
    beside it.
    """
    network = load_checkpoint(name, run.checkpoint).network.to(DEVICE)
    report = json.loads(run.training_report.read_text())
    report["temperature"] = calibrate(network, data.calibration)
    report |= _describe_start(start, data) if start else {}
    report |= {"own_digits": describe_own_digits(own, report)} if own else {}
    weights.path.mkdir(parents=True, exist_ok=True)
    save_state(network.cpu().state_dict(), weights.checkpoint)
    report["checkpoint_sha256"] = sha256(weights.checkpoint)
    write_report(report, weights)
    run.last_state.unlink()
    return report


def _describe_start(start: Checkpoint, data: TrainingData) -> Mapping[str, Any]:
    """Measure the checkpoint that a run started from, and read the report beside it."""
    beside = ModelFolder(start.path.parent).training_report
    before = {"before": json.loads(beside.read_text())} if beside.exists() else {}
    return {"start": validate(start.network.to(DEVICE), data.validation), **before}
