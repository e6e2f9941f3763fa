"""A checkpoint fits, or the error says how it differs."""

from pathlib import Path

import pytest
import torch

from export import checkpoint
from export.errors import CheckpointError
from export.model import CnnTransformer
from service.settings import WEIGHTS

NAME = "cnn-transformer"


def saved(folder: Path, state: object) -> Path:
    path = folder / checkpoint.CHECKPOINT
    torch.save(state, path)
    return path


def test_the_committed_checkpoint_loads_in_evaluation_mode() -> None:
    """With weights_only=True: nothing in it is code."""
    assert not checkpoint.load(NAME, WEIGHTS / NAME / checkpoint.CHECKPOINT).training


def test_a_missing_checkpoint_says_how_to_make_one(tmp_path: Path) -> None:
    """`make train`."""
    with pytest.raises(CheckpointError, match="does not exist. Train a model with `make train`"):
        checkpoint.load(NAME, tmp_path / "none.pth")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    """Whatever it is."""
    path = tmp_path / checkpoint.CHECKPOINT
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is not a checkpoint that torch can read"):
        checkpoint.load(NAME, path)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """A pickled module is refused."""
    with pytest.raises(CheckpointError, match="is not a checkpoint that torch can read"):
        checkpoint.load(NAME, saved(tmp_path, CnnTransformer()))


def test_a_difference_is_named_by_its_first_key(tmp_path: Path) -> None:
    """A missing key, one too many, another shape, and something else altogether."""
    state = CnnTransformer().state_dict()
    with pytest.raises(CheckpointError, match="it lacks head.bias"):
        checkpoint.load(NAME, saved(tmp_path, {key: value for key, value in state.items() if key != "head.bias"}))
    with pytest.raises(CheckpointError, match="has no tail.bias"):
        checkpoint.load(NAME, saved(tmp_path, {**state, "tail.bias": torch.zeros(10)}))
    with pytest.raises(CheckpointError, match=r"head.bias has shape \(9,\), and the architecture \(10,\)"):
        checkpoint.load(NAME, saved(tmp_path, {**state, "head.bias": torch.zeros(9)}))
    with pytest.raises(CheckpointError, match="head.bias is a list, not a tensor"):
        checkpoint.load(NAME, saved(tmp_path, {**state, "head.bias": [0.0] * 10}))
    with pytest.raises(CheckpointError, match="holds a list"):
        checkpoint.load(NAME, saved(tmp_path, [1, 2]))
