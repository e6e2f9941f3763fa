"""A run learns, can be interrupted without a trace, and leaves a report."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from examples.draw import PICTURES, draw
from export import checkpoint
from export.batches import NOT_A_DIGIT, Examples, targets
from export.checkpoint import CHECKPOINT
from export.data import Digits
from export.errors import ExportError
from export.run import LAST, REPORT, Recipe, Run
from export.scenes import plain
from export.train import publish, train

QUICK = Recipe(epochs=3, batch_size=32, ema_decay=0.5)
NAME = "cnn-transformer"


@pytest.fixture(scope="module")
def digits() -> Examples:
    """A few drawn digits, over and over: enough to see that a loss falls."""
    images = np.stack([np.asarray(draw(picture).resize((28, 28))) for picture in PICTURES])
    labels = np.array([picture.digit for picture in PICTURES])
    return Examples(plain(Digits(np.repeat(images, 12, axis=0), np.repeat(labels, 12))))


@pytest.fixture(scope="module")
def unbroken(digits: Examples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of three epochs."""
    return train(NAME, QUICK, digits, {"drawn": digits}, tmp_path_factory.mktemp("runs"))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(torch.load(folder / CHECKPOINT, weights_only=True))


def test_the_loss_falls(unbroken: Path) -> None:
    """From epoch to epoch, and below guessing."""
    history = json.loads((unbroken / REPORT).read_text())["history"]
    losses = [epoch["train_loss"] for epoch in history]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < np.log(10)


def test_an_interrupted_run_ends_as_an_unbroken_one(
    digits: Examples, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the second epoch, then the same command again: the same weights, bit for bit."""
    calls = iter([None, KeyboardInterrupt])

    def seed_or_stop(run: Run) -> torch.Generator:
        if (stop := next(calls, None)) is not None:
            raise stop
        return original(run)

    original = Run._seed_epoch
    monkeypatch.setattr(Run, "_seed_epoch", seed_or_stop)
    with pytest.raises(KeyboardInterrupt):
        train(NAME, QUICK, digits, {"drawn": digits}, tmp_path)
    monkeypatch.undo()
    resumed = weights(train(NAME, QUICK, digits, {"drawn": digits}, tmp_path))
    assert all(torch.equal(resumed[key], value) for key, value in weights(unbroken).items())


def test_an_epoch_draws_so_many_of_each_part() -> None:
    """Each time others; never more than there are."""
    rng = np.random.default_rng(0)
    parts = [
        (rng.random((size, 1, 28, 28), np.float32), np.full(size, label)) for label, size in enumerate((50, 40, 5))
    ]
    examples = Examples(*parts)
    first, second = (list(examples.shuffled((10, 20, 9), 16, torch.Generator().manual_seed(seed))) for seed in (1, 2))
    assert torch.cat([labels for _, labels in first]).bincount().tolist() == [10, 20, 5]
    assert len(first) == examples.steps((10, 20, 9), 16) == 3
    assert not torch.equal(first[0][1], second[0][1])


def test_what_is_no_digit_is_to_be_doubted() -> None:
    """Each row is a distribution; the smoothed label of a digit, and no preference for anything else."""
    wanted = targets(torch.tensor([3, NOT_A_DIGIT]), 0.1)
    assert torch.allclose(wanted.sum(dim=1), torch.ones(2))
    assert wanted[0, 3] == pytest.approx(0.91)
    assert torch.allclose(wanted[1], torch.full((10,), 0.1))


def test_another_recipe_does_not_go_on_with_the_run(digits: Examples, tmp_path: Path) -> None:
    """The error names both, and the file."""
    train(NAME, Recipe(epochs=1, batch_size=32), digits, {"drawn": digits}, tmp_path)
    with pytest.raises(ExportError, match=r"last.pth holds an interrupted run of .*'epochs': 1.*'epochs': 3"):
        train(NAME, QUICK, digits, {"drawn": digits}, tmp_path)


def test_a_finished_run_is_published_and_done_with(digits: Examples, tmp_path: Path) -> None:
    """Checkpoint and report go to the model's folder; the next run starts anew."""
    run = train(NAME, Recipe(epochs=1, batch_size=32), digits, {"drawn": digits}, tmp_path / "runs")
    publish(NAME, run, {"drawn": digits}, tmp_path / "weights" / NAME)
    assert {path.name for path in (tmp_path / "weights" / NAME).iterdir()} == {CHECKPOINT, REPORT}
    assert not (run / LAST).exists()


def test_a_run_can_start_from_a_checkpoint(digits: Examples, unbroken: Path, tmp_path: Path) -> None:
    """With hardly any learning it stays where it began, and keeps the report of how that was reached."""
    start = checkpoint.load(NAME, unbroken / CHECKPOINT)
    still = Recipe(epochs=1, batch_size=32, learning_rate=1e-12, weight_decay=0, start="a hash")
    run = train(NAME, still, digits, {"drawn": digits}, tmp_path, start)
    for key, value in weights(run).items():
        if "running" not in key and "tracked" not in key:
            assert torch.allclose(value, weights(unbroken)[key], atol=1e-5)
    publish(NAME, run, {"drawn": digits}, tmp_path / "weights", unbroken / REPORT)
    report = json.loads((tmp_path / "weights" / REPORT).read_text())
    assert report["before"] == json.loads((unbroken / REPORT).read_text())


def test_the_report_says_what_was_run(unbroken: Path) -> None:
    """Settings, versions, device, and the best epoch."""
    report = json.loads((unbroken / REPORT).read_text())
    assert report["settings"]["epochs"] == 3
    assert report["settings"]["seed"] == 0
    assert report["versions"]["torch"] == torch.__version__
    assert report["best"] in report["history"]
    assert report["best"]["validation_loss"] == min(epoch["validation_loss"] for epoch in report["history"])
