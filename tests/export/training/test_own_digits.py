"""`make train DATA=folder` trains on own digits, measures the held-out ones, and reports both."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from examples.draw import EXAMPLES, draw
from export.__main__ import main
from export.data import mnist
from export.data.cache import DatasetCache
from export.data.dataset import Dataset
from export.data.mnist import cache_folder
from export.data.own_digits import HELD_OUT_SHARE, OwnDigits, load_own_digits
from export.data.scenes import normalize_dataset
from export.model_folder import ModelFolder, RunFolder
from export.training.checkpoint import load_checkpoint, sha256
from export.training.data import OWN, TrainingData, assemble
from export.training.recipe import FINE_TUNING, MAX_OWN_REPEATS, OWN_SHARE, Recipe
from export.training.report import format_accuracies
from export.training.train import publish
from export.training.trainer import run_epochs
from tests.conftest import WEIGHTS
from tests.own_digits import write_folder

NAME = "cnn"
SHIPPED = ModelFolder(WEIGHTS / NAME).checkpoint
RENDERED = ("photographed", "drawn", "outliers", "corrupted", "mishaps", "numbers", "corrupted-outliers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "own", 40)


@pytest.fixture(scope="module")
def own(folder: Path) -> OwnDigits:
    return load_own_digits(folder)


@pytest.fixture(scope="module")
def examples() -> Dataset:
    """Repeat the repository's example digits twelve times."""
    images = np.stack([np.asarray(draw(example).resize((28, 28))) for example in EXAMPLES])
    labels = np.array([example.digit for example in EXAMPLES])
    return normalize_dataset(Dataset(np.repeat(images, 12, axis=0), np.repeat(labels, 12)))


def recipe_of(own: OwnDigits) -> Recipe:
    """Return a short recipe with these digits, for the examples as the only other images."""
    quick = Recipe(epochs=2, batch_size=32, ema_decay=0.5, learning_rate=1e-3, epoch_size=(120,))
    return quick.with_own_digits(len(own.training), own.sha256)


def test_own_digits_are_learned(own: OwnDigits, examples: Dataset, tmp_path: Path) -> None:
    """Read held-out triangles as 7 after a few steps from the shipped checkpoint, and report both accuracies."""
    recipe, start = recipe_of(own), load_checkpoint(NAME, SHIPPED)
    run, weights = RunFolder(tmp_path / "runs" / NAME), ModelFolder(tmp_path / "weights" / NAME)
    data = assemble(recipe, [examples], {"examples": examples}, own)
    run_epochs(NAME, recipe, data, run, start.network)
    report = publish(NAME, run, weights, data, start, own)
    assert json.loads(weights.training_report.read_text()) == json.loads(json.dumps(report))
    accuracy = report["own_digits"]["validation_accuracy"]
    assert accuracy["before"] <= 0.2
    assert accuracy["after"] > 0.8
    assert accuracy["after"] - accuracy["before"] > 0.6
    assert report["own_digits"] == {
        "sha256": own.sha256,
        "held_out_share": HELD_OUT_SHARE,
        "training": len(own.training),
        "validation": len(own.validation),
        "validation_accuracy": {"before": report["start"]["own_digits_accuracy"], "after": accuracy["after"]},
    }
    assert report["settings"]["own_sha256"] == own.sha256
    line = f"Validation accuracy, own digits, n = {len(own.validation)}: {accuracy['after']:.2%} (before: "
    assert line in format_accuracies(report)


def test_each_epoch_repeats_own_digits_to_a_quarter(own: OwnDigits, examples: Dataset) -> None:
    """Sample them evenly, none of the held-out ones, and each at most twenty times."""
    recipe = recipe_of(own)
    assert list(recipe.epoch_size) == [120, round(120 * OWN_SHARE)]
    data = assemble(recipe, [examples], {}, own)
    assert contained(data, own.training) == len(own.training)
    assert contained(data, own.validation) == 0
    assert len(data.validation[OWN]) == len(own.validation)
    assert Recipe().with_own_digits(3, "").epoch_size[-1] == 3 * MAX_OWN_REPEATS


def contained(data: TrainingData, dataset: Dataset) -> int:
    """Count the images of a dataset that the training data contain."""
    training = {image.numpy().tobytes() for image in data.training.images.cpu()}
    return sum(image.tobytes() in training for image in dataset.images)


def prepare_cache(names: Sequence[str], dataset: Dataset) -> None:
    """Put a small dataset in place of the rendered ones, which take minutes."""
    for name in names:
        DatasetCache(cache_folder("rendered")).load(name, lambda: dataset)


def test_the_command_adds_a_folder(
    folder: Path,
    own: OwnDigits,
    examples: Dataset,
    tmp_path: Path,
    mnist_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Start from the shipped checkpoint with a lower learning rate, and print and report the accuracies."""
    monkeypatch.setenv("MNIST_DIR", str(mnist_folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(mnist, "VALIDATION_SIZE", 100)  # 5,000 images take several seconds
    prepare_cache(
        ["photographed-validation", "corrupted-validation", *(f"{name}-0.001" for name in RENDERED)], examples
    )
    weights, runs = tmp_path / "weights", tmp_path / "runs"
    options = ["--model", NAME, "--share", "0.001", "--epochs", "1", "--weights", str(weights), "--runs", str(runs)]
    main(["train", "--data", str(folder), *options])
    model = ModelFolder(weights / NAME)
    report = json.loads(model.training_report.read_text())
    assert report["settings"]["start_sha256"] == sha256(SHIPPED)
    assert report["settings"]["learning_rate"] == FINE_TUNING.learning_rate
    assert report["settings"]["epoch_size"] == [26, 10, 3, 4, 12, 6, 4, 2, 17]
    assert report["settings"]["examples"][0] == 60
    assert report["own_digits"]["sha256"] == own.sha256
    assert report["before"] == json.loads(ModelFolder(WEIGHTS / NAME).training_report.read_text())
    printed = capsys.readouterr().out
    assert f"own digits, n = {len(own.validation)}: " in printed
    assert f"make export MODEL={NAME} WEIGHTS_DIR={weights}`" in printed
    before, after = (load_checkpoint(NAME, path).network.state_dict() for path in (SHIPPED, model.checkpoint))
    assert not torch.equal(before["head.weight"], after["head.weight"])


def test_a_line_that_cannot_be_used_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit with one sentence before MNIST is loaded: its folder does not exist either."""
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "no-mnist"))
    (tmp_path / "labels.csv").write_text("file,digit\nseven.png,7\n")
    with pytest.raises(SystemExit, match=r"^export train: .*labels.csv, line 2: .*seven.png cannot be read"):
        main(["train", "--data", str(tmp_path), "--runs", str(tmp_path / "runs")])
