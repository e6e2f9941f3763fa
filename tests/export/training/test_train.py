"""Training reduces the loss, can be interrupted and resumed, and publishes checkpoint and report."""

import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from examples.draw import EXAMPLES, draw
from export.data.dataset import Dataset
from export.data.scenes import normalize_dataset
from export.errors import CheckpointError, ExportError
from export.model import find_architecture
from export.model_folder import ModelFolder, RunFolder
from export.training.calibrate import predict_logits
from export.training.checkpoint import load_checkpoint, save_state, sha256
from export.training.data import CORRUPTED, TrainingData
from export.training.device_dataset import DEVICE, DeviceDataset
from export.training.recipe import Recipe
from export.training.train import publish, train_model
from export.training.trainer import Trainer, run_epochs

QUICK = Recipe(epochs=3, batch_size=32, ema_decay=0.5)
ONE_EPOCH = Recipe(epochs=1, batch_size=32)
NAME = "cnn-transformer"
LOG = "training.log"


class InterruptedTrainer(Trainer):
    """Raises KeyboardInterrupt, as Ctrl-C does, after the first batch of the second epoch."""

    def _batches(self) -> Iterator[Sequence[torch.Tensor]]:
        """Yield the batches until the interrupt."""
        for number, batch in enumerate(super()._batches()):
            if self.epoch == 1 and number == 1:
                raise KeyboardInterrupt
            yield batch


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Repeat the repository's example digits twelve times: enough for the loss to fall."""
    images = np.stack([np.asarray(draw(example).resize((28, 28))) for example in EXAMPLES])
    labels = np.array([example.digit for example in EXAMPLES])
    return normalize_dataset(Dataset(np.repeat(images, 12, axis=0), np.repeat(labels, 12)))


@pytest.fixture(scope="module")
def data(digits: Dataset) -> TrainingData:
    return TrainingData(DeviceDataset(digits), {"drawn": DeviceDataset(digits)})


@pytest.fixture(scope="module")
def uninterrupted(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Complete a run of three epochs, which logs its progress into its folder."""
    run = RunFolder(tmp_path_factory.mktemp("runs") / NAME)
    run.path.mkdir()
    with (run.path / LOG).open("w") as log, redirect_stderr(log):
        run_epochs(NAME, QUICK, data, run)
    return run


def report_of(folder: ModelFolder) -> dict[str, Any]:
    return dict(json.loads(folder.training_report.read_text()))


def weights_of(folder: ModelFolder) -> dict[str, torch.Tensor]:
    return dict(torch.load(folder.checkpoint, weights_only=True))


def test_the_loss_falls(uninterrupted: RunFolder) -> None:
    """Falls in every epoch, and below that of a uniform guess."""
    losses = [epoch["train_loss"] for epoch in report_of(uninterrupted)["history"]]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < np.log(10)


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    data: TrainingData,
    uninterrupted: RunFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Says where it resumes, repeats the interrupted epoch from its start, and ends with bit-identical weights."""
    run = RunFolder(tmp_path / NAME)
    with monkeypatch.context() as patch:
        patch.setattr("export.training.trainer.Trainer", InterruptedTrainer)
        with pytest.raises(KeyboardInterrupt):
            run_epochs(NAME, QUICK, data, run)
    assert len(report_of(run)["history"]) == 1
    run_epochs(NAME, QUICK, data, run)
    assert f"Resuming {run.path} after epoch 1 of 3." in capsys.readouterr().out
    resumed = weights_of(run)
    assert all(torch.equal(resumed[key], value) for key, value in weights_of(uninterrupted).items())


def test_another_recipe_does_not_resume_the_run(data: TrainingData, tmp_path: Path) -> None:
    """Names the file and only the difference, before the data is loaded: MNIST's folder does not exist either."""
    run = RunFolder(tmp_path / NAME)
    run_epochs(NAME, ONE_EPOCH, data, run)
    other = replace(ONE_EPOCH, epochs=3)
    with pytest.raises(ExportError, match="last.pth holds an interrupted run with epochs 1 instead of 3. Repeat its"):
        train_model(NAME, other, tmp_path / "no-mnist", run, ModelFolder(tmp_path / "weights"))


def test_a_finished_run_is_published(data: TrainingData, tmp_path: Path) -> None:
    """Writes calibrated checkpoint and report to the model's folder, and removes the state to resume from."""
    run, weights = RunFolder(tmp_path / "runs" / NAME), ModelFolder(tmp_path / "weights" / NAME)
    run_epochs(NAME, ONE_EPOCH, data, run)
    publish(NAME, run, weights, data)
    assert set(weights.path.iterdir()) == {weights.checkpoint, weights.training_report}
    assert not run.last_state.exists()
    report = report_of(weights)
    assert report["checkpoint_sha256"] == sha256(weights.checkpoint)
    head = weights_of(run)["head.weight"].cpu() / report["temperature"]
    assert torch.allclose(weights_of(weights)["head.weight"], head)


def test_a_run_can_start_from_a_checkpoint(data: TrainingData, uninterrupted: RunFolder, tmp_path: Path) -> None:
    """Keeps the weights at a learning rate near zero, and the report of the run that trained them."""
    start = load_checkpoint(NAME, uninterrupted.checkpoint)
    still = Recipe(epochs=1, batch_size=32, learning_rate=1e-12, weight_decay=0, start_sha256="a hash")
    run, weights = RunFolder(tmp_path / "runs" / NAME), ModelFolder(tmp_path / "weights" / NAME)
    run_epochs(NAME, still, data, run, start.network)
    for key, value in weights_of(run).items():
        if "running" not in key and "tracked" not in key:
            assert torch.allclose(value, weights_of(uninterrupted)[key], atol=1e-5)
    publish(NAME, run, weights, data, start)
    assert report_of(weights)["before"] == report_of(uninterrupted)


def test_the_report_describes_the_run(uninterrupted: RunFolder) -> None:
    """Holds settings, versions, device, and the epoch with the lowest validation loss."""
    report = report_of(uninterrupted)
    assert report["settings"]["model"] == NAME
    assert report["settings"]["epochs"] == 3
    assert report["settings"]["seed"] == 0
    assert report["versions"]["torch"] == torch.__version__
    assert "1 threads" not in report["device"]
    assert report["best"] in report["history"]
    assert report["best"]["validation_loss"] == min(epoch["validation_loss"] for epoch in report["history"])


def test_a_missing_start_fails_before_the_data_is_loaded(tmp_path: Path) -> None:
    """Reads the checkpoint first: here MNIST's folder does not exist either."""
    run, weights = RunFolder(tmp_path / "runs"), ModelFolder(tmp_path / "weights")
    with pytest.raises(CheckpointError, match="none.pth does not exist"):
        train_model(NAME, QUICK, tmp_path / "no-mnist", run, weights, tmp_path / "none.pth")


def test_corrupted_images_select_the_checkpoint_but_fit_no_temperature(data: TrainingData) -> None:
    """Leave them out of the images that calibrate."""
    drawn = data.validation["drawn"]
    both = TrainingData(data.training, {"drawn": drawn, CORRUPTED: data.training})
    assert both.calibration == [drawn]


class ConstantTeacher(nn.Module):
    """Reads a 4 in every image."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 20.0 * nn.functional.one_hot(torch.full((len(images),), 4, device=DEVICE), 10)


def test_a_network_learns_from_teachers(data: TrainingData, uninterrupted: RunFolder, tmp_path: Path) -> None:
    """Moves toward the answers of the teachers instead of the labels where they differ."""
    taught = RunFolder(tmp_path / NAME)
    run_epochs(NAME, QUICK, data, taught, teachers=[ConstantTeacher()])
    fours = [mean_probability_of_4(data, run) for run in (taught, uninterrupted)]
    assert fours[0] > 0.5 > fours[1]


def mean_probability_of_4(data: TrainingData, run: RunFolder) -> float:
    logits = predict_logits(load_checkpoint(NAME, run.checkpoint).network.to(DEVICE), data.training)
    return float(logits.softmax(dim=1)[:, 4].mean())


def test_a_teacher_of_another_architecture_fails_before_the_data_is_loaded(tmp_path: Path) -> None:
    """Names the file and the first key that does not fit: here MNIST's folder does not exist either."""
    path = tmp_path / "wide-cnn-3" / "small.pth"
    path.parent.mkdir()
    save_state(find_architecture("cnn")().state_dict(), path)
    run, weights = RunFolder(tmp_path / "runs"), ModelFolder(tmp_path / "weights")
    with pytest.raises(CheckpointError, match=r"small.pth does not fit: features.0.weight has shape"):
        train_model(NAME, QUICK, tmp_path / "no-mnist", run, weights, teacher_paths=[path])


def test_a_teacher_outside_a_folder_of_its_model_fails(tmp_path: Path) -> None:
    """Cannot tell its architecture, and names the known ones."""
    run, weights = RunFolder(tmp_path / "runs"), ModelFolder(tmp_path / "weights")
    with pytest.raises(ExportError, match=r"no model 'teachers'.*wide-cnn-3"):
        train_model(NAME, QUICK, tmp_path / "no-mnist", run, weights, teacher_paths=[tmp_path / "teachers" / "1.pth"])


def test_an_epoch_can_go_over_its_images_twice(data: TrainingData) -> None:
    """Doubles the batches of an epoch. Each has the full size: the images of a pass that fill none are left out."""
    trainer = Trainer(NAME, replace(ONE_EPOCH, passes=2, batch_size=50), data)
    sizes = [len(images) for images, _ in trainer._batches()]
    assert sizes == [50] * trainer.num_batches == [50] * 2 * (len(data.training) // 50)


def test_a_log_gets_one_line_per_epoch(uninterrupted: RunFolder) -> None:
    """Write the share of the whole run, the time left, losses and accuracies, where there is no terminal."""
    start, *epochs = (uninterrupted.path / LOG).read_text().splitlines()
    assert start.startswith(f"Training {NAME}: 0% of ")
    for number, (line, share) in enumerate(zip(epochs, (33, 67, 100), strict=True), start=1):
        assert line.startswith(f"epoch {number}/3: {share}% of ")
        assert " left, train loss=" in line
        assert ", drawn=" in line
