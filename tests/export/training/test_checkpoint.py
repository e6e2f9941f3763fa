"""A checkpoint loads, or the error says how it differs from the architecture."""

import hashlib
from pathlib import Path

import pytest
import torch

from export.errors import CheckpointError, ExportError
from export.model import CnnTransformer
from export.model_folder import ModelFolder
from export.training.checkpoint import load_checkpoint, sha256
from tests.conftest import WEIGHTS

NAME = "cnn-transformer"


def saved(folder: Path, state: object) -> Path:
    path = folder / "saved.pth"
    torch.save(state, path)
    return path


def test_the_committed_checkpoint_loads_in_evaluation_mode() -> None:
    """Returns name, path and a network on the CPU that is ready for inference."""
    path = ModelFolder(WEIGHTS / NAME).checkpoint
    checkpoint = load_checkpoint(NAME, path)
    assert (checkpoint.name, checkpoint.path) == (NAME, path)
    assert not checkpoint.network.training
    assert {parameter.device.type for parameter in checkpoint.network.parameters()} == {"cpu"}


def test_an_unknown_model_is_rejected(tmp_path: Path) -> None:
    """Names the known models before it looks for the file."""
    with pytest.raises(ExportError, match="There is no model 'resnet'. The models are cnn-transformer, cnn."):
        load_checkpoint("resnet", tmp_path / "none.pth")


def test_a_missing_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    """Doubts the path, or gives the caller's advice."""
    with pytest.raises(CheckpointError, match="none.pth does not exist. Check the path."):
        load_checkpoint(NAME, tmp_path / "none.pth")
    with pytest.raises(CheckpointError, match="none.pth does not exist. Train it."):
        load_checkpoint(NAME, tmp_path / "none.pth", "Train it.")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    """Rejects an empty file, text, and the start of a zip archive."""
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    with pytest.raises(
        CheckpointError, match="file.pth is not a checkpoint: PyTorch finds no plain tensors in it. Save"
    ):
        load_checkpoint(NAME, path)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """Rejects a pickled module, without torch's advice to load it unsafely."""
    with pytest.raises(CheckpointError, match="is not a checkpoint") as raised:
        load_checkpoint(NAME, saved(tmp_path, CnnTransformer()))
    assert "weights_only" not in str(raised.value)


def test_a_difference_is_named_by_its_first_key(tmp_path: Path) -> None:
    """Names a missing key, an unknown key, another shape, and a value that is no tensor."""
    state = CnnTransformer().state_dict()
    with pytest.raises(CheckpointError, match="it lacks head.bias"):
        load_checkpoint(NAME, saved(tmp_path, {key: value for key, value in state.items() if key != "head.bias"}))
    with pytest.raises(CheckpointError, match="it lacks position, but has state_dict"):
        load_checkpoint(NAME, saved(tmp_path, {"state_dict": state}))
    with pytest.raises(CheckpointError, match="has no tail.bias"):
        load_checkpoint(NAME, saved(tmp_path, {**state, "tail.bias": torch.zeros(10)}))
    with pytest.raises(CheckpointError, match=r"head.bias has shape \(9,\), and the architecture \(10,\)"):
        load_checkpoint(NAME, saved(tmp_path, {**state, "head.bias": torch.zeros(9)}))
    with pytest.raises(CheckpointError, match="head.bias is a list, not a tensor"):
        load_checkpoint(NAME, saved(tmp_path, {**state, "head.bias": [0.0] * 10}))
    with pytest.raises(CheckpointError, match="holds a list"):
        load_checkpoint(NAME, saved(tmp_path, [1, 2]))


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    """Returns SHA-256 in hexadecimal."""
    (tmp_path / "file").write_bytes(b"digits")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"digits").hexdigest()
