"""The command line: help, ranges, and one sentence for each error."""

import _thread
import importlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from export.__main__ import main, parse_arguments
from export.model_folder import ModelFolder
from export.training.options import choose_recipe, choose_start
from export.training.recipe import FINE_TUNING, Recipe
from tests.conftest import ROOT, WEIGHTS

NAME = "cnn-transformer"

HELP = {
    "train": [
        "folder of own digits to add: a labels.csv (file, digit) and PNG or JPEG files",
        f"number of epochs of 66,500 images, 1 or more (default: {Recipe.epochs}; with --data and a checkpoint: 5)",
        "seed of all random numbers, 0 or more (default: 0)",
        "peak learning rate of AdamW per step, above 0 (default: 0.002; with --data and a checkpoint: 0.0003)",
        "checkpoint to start from, or random (default: random; with --data the one in WEIGHTS/MODEL or weights/)",
        "MNIST_DIR folder of MNIST's four IDX files (default: downloaded into a cache)",
    ],
    "build": [
        "checkpoint to export (default: the one in WEIGHTS/MODEL)",
        "folder for the report of the latencies, as ratios int8/fp32 (default: runs)",
        "WILD_DIR folder of wild images with a labels.csv (default: none, they are left out)",
    ],
    "evaluate": ["write a model card into RUNS/MODEL", "folder for metrics, plots and card (default: runs)"],
    "card": ["write a model card into WEIGHTS/MODEL", "folder of the models' folders (default: weights)"],
}


@pytest.mark.parametrize("command", HELP)
def test_help_tells_units_ranges_and_defaults(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Describes each option with its unit or range, and its default."""
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for fragment in [*HELP[command], "name of the model: cnn-transformer or cnn (default: cnn- transformer)"]:
        assert fragment.replace("cnn- transformer", NAME) in text.replace("cnn- transformer", NAME)


def chosen(*arguments: str) -> tuple[Path | None, Recipe]:
    """Return the checkpoint to start from and the recipe of `train` with these arguments."""
    options = parse_arguments(["train", *arguments])
    start = choose_start(options)
    return start, choose_recipe(options, start)


def test_options_default_to_the_recipe() -> None:
    """Train from random weights with the recipe's defaults, unless told otherwise."""
    assert chosen() == (None, Recipe())
    assert chosen("--start", "mine.pth", "--epochs", "3") == (Path("mine.pth"), Recipe(epochs=3))
    options = parse_arguments(["train"])
    assert (options.weights, options.runs) == (Path("weights"), Path("runs"))


def test_own_digits_start_from_a_checkpoint(tmp_path: Path) -> None:
    """Take that of the folder of models if there is one, else the shipped one, else the one that is named."""
    shipped, mine = (ModelFolder(folder / NAME).checkpoint for folder in (Path("weights"), tmp_path))
    data = ("--data", "digits", "--weights", str(tmp_path))
    assert chosen(*data) == (shipped, FINE_TUNING)
    mine.parent.mkdir()
    mine.touch()
    assert chosen(*data) == (mine, FINE_TUNING)
    assert chosen(*data, "--start", "other.pth") == (Path("other.pth"), FINE_TUNING)
    assert chosen(*data, "--start", "random") == (None, Recipe())


def test_options_replace_settings() -> None:
    """Take zero, too, which is a value."""
    given = chosen("--batch-size", "1024", "--passes", "4", "--label-smoothing", "0", "--ema-decay", "0")[1]
    assert given == Recipe(batch_size=1024, passes=4, label_smoothing=0.0, ema_decay=0.0)


def test_a_share_shrinks_the_epochs() -> None:
    """Scale each part, with own digits and without."""
    assert sum(chosen("--share", "0.5")[1].epoch_size) == 33_250
    assert chosen("--data", "digits", "--share", "1")[1].epoch_size == Recipe().epoch_size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--epochs", "0"], "argument --epochs: 0 is less than 1"),
        (["train", "--seed", "-1"], "argument --seed: -1 is less than 0"),
        (["train", "--learning-rate", "0"], "argument --learning-rate: 0 is not a positive number"),
        (["train", "--learning-rate", "nan"], "argument --learning-rate: nan is not a positive number"),
        (["train", "--share", "1.5"], "argument --share: 1.5 is more than 1"),
        (["train", "--batch-size", "0"], "argument --batch-size: 0 is less than 1"),
        (["train", "--passes", "0"], "argument --passes: 0 is less than 1"),
        (["train", "--label-smoothing", "1"], "argument --label-smoothing: 1 is not at least 0 and less than 1"),
        (["train", "--augmentation", "0"], "argument --augmentation: 0 is not a positive number"),
        (["card", "--epochs", "3"], "unrecognized arguments: --epochs 3"),
        ([], "the following arguments are required: {train,build,evaluate,card}"),
    ],
)
def test_values_out_of_range_are_rejected(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exits with status 2, the usage, and the option that is wrong."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "build"])
def test_an_unknown_model_is_named(command: str) -> None:
    """Lists the known models."""
    with pytest.raises(SystemExit, match=f"^export {command}: There is no model 'resnet'. The models are {NAME}, cnn."):
        main([command, "--model", "resnet"])


def test_a_missing_model_is_not_evaluated(tmp_path: Path) -> None:
    """Say how to train and export it."""
    message = r"^export evaluate: There is no model in .*resnet. Train one with `make train MODEL=resnet`, then run"
    with pytest.raises(SystemExit, match=message):
        main(["evaluate", "--model", "resnet", "--weights", str(tmp_path)])


@pytest.mark.parametrize("command", ["evaluate", "card"])
def test_a_model_that_was_only_trained_is_not_evaluated(command: str, tmp_path: Path) -> None:
    """Say how to export it."""
    (tmp_path / "resnet").mkdir()
    (tmp_path / "resnet" / "model_weights.pth").touch()
    message = f"^export {command}: .*model_weights.pth was trained, but not exported. First run `make export MODEL=re"
    with pytest.raises(SystemExit, match=message):
        main([command, "--model", "resnet", "--weights", str(tmp_path)])


def test_a_model_that_was_trained_again_is_not_evaluated(tmp_path: Path) -> None:
    """Say that it must be exported again: the served files are those of an earlier checkpoint."""
    shutil.copytree(WEIGHTS / NAME, tmp_path / NAME)
    (tmp_path / NAME / "model_weights.pth").write_bytes(b"another checkpoint")
    message = f"has SHA-256 .* After `make train`, run `make export MODEL={NAME}` before an evaluation."
    with pytest.raises(SystemExit, match=message):
        main(["evaluate", "--weights", str(tmp_path)])


def test_a_missing_checkpoint_gives_one_sentence(tmp_path: Path, mnist_folder: Path) -> None:
    """Exits with status 1, no traceback, and what to do next."""
    finished = subprocess.run(
        [sys.executable, "-m", "export", "build", "--weights", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "MNIST_DIR": str(mnist_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith("export build: ")
    assert f"Train the model with `make train MODEL={NAME}`" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_training_interrupted_before_its_first_epoch_says_so(
    tmp_path: Path, mnist_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exits with a sentence at Ctrl-C, here while the data is loaded, and publishes nothing."""
    monkeypatch.setenv("MNIST_DIR", str(mnist_folder))
    importlib.import_module("export.training.train")  # an interrupted import could break later tests
    interrupt = threading.Timer(1.0, _thread.interrupt_main)
    interrupt.start()
    with pytest.raises(SystemExit, match=r"^export train: interrupted. No epoch was complete, so the next run"):
        main(["train", "--weights", str(tmp_path / "weights"), "--runs", str(tmp_path / "runs")])
    interrupt.join()
    assert not (tmp_path / "weights").exists()
