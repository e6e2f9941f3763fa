"""A session loads only an ONNX file with the expected input and output."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors import ModelError
from service.inference.contract import Contract
from service.inference.session import Session
from tests.conftest import WEIGHTS

MODEL_FILE = Contract.verify(WEIGHTS / "cnn-transformer").model_file


@pytest.fixture
def model() -> Any:
    """Load the graph of the served file, for a test to change."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed in a serving environment")
    return onnx.load(MODEL_FILE)


def error_of(path: Path, content: bytes) -> str:
    """Return the message of the error that loading this content must raise."""
    path.write_bytes(content)
    with pytest.raises(ModelError) as raised:
        Session(path)
    return str(raised.value)


@pytest.mark.parametrize("size", [1, 2, 33])
def test_every_image_gets_ten_logits(size: int) -> None:
    """Run a batch of any size: float32 (N, 1, 28, 28) to finite float32 (N, 10)."""
    images = np.random.default_rng(size).normal(0, 1, (size, 1, 28, 28)).astype(np.float32)
    logits = Session(MODEL_FILE).logits(images)
    assert logits.shape == (size, 10)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("content", [b"", b"not a model"])
def test_file_that_is_not_a_model_is_named(tmp_path: Path, content: bytes) -> None:
    """Reject a file that is not ONNX."""
    path = tmp_path / "model.onnx"
    assert error_of(path, content).startswith(f"{path} cannot be loaded")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_model_is_named(tmp_path: Path, share: float) -> None:
    """Reject an ONNX file that is cut anywhere."""
    path, whole = tmp_path / "model.onnx", MODEL_FILE.read_bytes()
    assert error_of(path, whole[: int(share * len(whole))]).startswith(f"{path} cannot be loaded")


def test_other_output_name_is_rejected(tmp_path: Path, model: Any) -> None:
    """Reject a graph whose output has another name, whatever its contract says."""
    for node in model.graph.node:
        node.output[:] = ["scores" if name == "logits" else name for name in node.output]
    model.graph.output[0].name = "scores"
    assert "its output is [{'name': 'scores'" in error_of(tmp_path / "model.onnx", model.SerializeToString())


def test_fixed_batch_size_is_rejected(tmp_path: Path, model: Any) -> None:
    """Reject a graph that accepts only one image per run."""
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    message = error_of(tmp_path / "model.onnx", model.SerializeToString())
    assert "its input is [{'name': 'image', 'dtype': 'float32', 'shape': [1, 1, 28, 28]}]" in message


def test_other_input_type_is_rejected(tmp_path: Path, model: Any) -> None:
    """Reject a graph that requires float64 images."""
    model.graph.input[0].type.tensor_type.elem_type = 11
    assert str(tmp_path / "model.onnx") in error_of(tmp_path / "model.onnx", model.SerializeToString())
