"""Train a model on MNIST: data -> epochs -> checkpoint -> publish. A new start continues an interrupted run."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from export.data.cache import DatasetCache
from export.data.mnist import cache_folder
from export.model import TEACHER, find_architecture
from export.model_folder import ModelFolder, RunFolder
from export.training.calibrate import calibrate
from export.training.checkpoint import Checkpoint, load_checkpoint, save_state, sha256
from export.training.data import TrainingData, load_data
from export.training.device_dataset import DEVICE
from export.training.recipe import Recipe
from export.training.report import write_report
from export.training.trainer import check_resumable, run_epochs


def train_model(
    name: str,
    recipe: Recipe,
    mnist: Path | None,
    run: RunFolder,
    weights: ModelFolder,
    start_path: Path | None = None,
    teacher_paths: Sequence[Path] = (),
) -> None:
    """Train the model `name` on MNIST in the folder `mnist`, and publish it in `weights`.

    start_path: a checkpoint to start from instead of random weights. teacher_paths: checkpoints of TEACHER to learn
    from. Raises ExportError if the name is unknown, a file cannot be used, or `run` holds an interrupted run of another
    recipe; that is before the data is loaded.
    """
    find_architecture(name)
    start = load_checkpoint(name, start_path) if start_path else None
    teachers = [load_checkpoint(TEACHER, path).network for path in teacher_paths]
    recipe = replace(
        recipe,
        start_sha256=sha256(start_path) if start_path else "",
        teacher_sha256=tuple(sha256(path) for path in teacher_paths),
    )
    check_resumable(recipe.settings(name), run)
    data = load_data(mnist, DatasetCache(cache_folder("rendered")))
    run_epochs(name, recipe, data, run, start.network if start else None, teachers)
    publish(name, run, weights, data, start)


def publish(
    name: str, run: RunFolder, weights: ModelFolder, data: TrainingData, start: Checkpoint | None = None
) -> None:
    """Calibrate the best checkpoint of a finished run of the model `name`, and write it with its report to `weights`.

    The report of the run that trained `start`, if it lies beside it, is kept within the new report.
    """
    network = load_checkpoint(name, run.checkpoint).network.to(DEVICE)
    report = json.loads(run.training_report.read_text())
    report["temperature"] = calibrate(network, data.calibration)
    previous = ModelFolder(start.path.parent).training_report if start else None
    if previous is not None and previous.exists():
        report["before"] = json.loads(previous.read_text())
    weights.path.mkdir(parents=True, exist_ok=True)
    save_state(network.cpu().state_dict(), weights.checkpoint)
    write_report({**report, "checkpoint_sha256": sha256(weights.checkpoint)}, weights)
    run.last_state.unlink()
