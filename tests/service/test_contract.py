"""The service starts only with the model that its contract describes; otherwise it names file and difference."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from service.classifier import Classifier
from service.contract import CONTRACT, Contract
from service.errors import ModelError
from service.settings import WEIGHTS

SERVED = Contract.verify(WEIGHTS / "cnn-transformer").model_file.name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the default model's folder, to damage."""
    return Path(shutil.copytree(WEIGHTS / "cnn-transformer", tmp_path / "cnn-transformer"))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / CONTRACT).read_text())
    change(content)
    (folder / CONTRACT).write_text(json.dumps(content))


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as refused:
        Classifier(Contract.verify(folder))
    return str(refused.value)


def test_the_committed_model_keeps_its_contract(folder: Path) -> None:
    """As it is in the repository."""
    assert Classifier(Contract.verify(folder))


def test_what_is_not_served_may_be_left_out(folder: Path) -> None:
    """The checkpoint, and the ONNX file of the other precision."""
    for file in {"model_weights.pth", "model.onnx", "model.int8.onnx"} - {SERVED}:
        (folder / file).unlink()
    assert Classifier(Contract.verify(folder))


@pytest.mark.parametrize("file", ["model.onnx", "model.int8.onnx", "model_weights.pth"])
def test_a_changed_file_is_named_with_both_hashes(folder: Path, file: str) -> None:
    """One bit is enough."""
    damaged = bytearray((folder / file).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / file).write_bytes(damaged)
    expected = json.loads((folder / CONTRACT).read_text())["files"][file]["sha256"]
    detail = refusal(folder)
    assert str(folder / file) in detail
    assert expected in detail


@pytest.mark.parametrize("file", [SERVED, CONTRACT])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    """With what the system says of it."""
    (folder / file).unlink()
    assert f"{folder / file} cannot be read (No such file or directory)" in refusal(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_a_contract_that_is_no_json_object_is_named(folder: Path, text: str) -> None:
    """Whatever stands there instead."""
    (folder / CONTRACT).write_text(text)
    assert str(folder / CONTRACT) in refusal(folder)


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("input", {"name": "image", "dtype": "float32", "shape": ["N", 3, 28, 28]}),
        ("output", {"name": "scores", "dtype": "float32", "shape": ["N", 10]}),
        ("mean", 0.5),
        ("std", 0.5),
        ("labels", list(range(9))),
    ],
)
def test_terms_that_the_service_does_not_keep_are_named(folder: Path, term: str, value: object) -> None:
    """A model that was trained for other input would answer, and be wrong."""
    edit(folder, lambda content: content.update({term: value}))
    assert f"{term} is {value!r}" in refusal(folder)


@pytest.mark.parametrize("serves", ["model.int4.onnx", None])
def test_a_contract_that_serves_nothing_is_refused(folder: Path, serves: str | None) -> None:
    """The served file must be one that was verified."""
    edit(folder, lambda content: content.update(serves=serves))
    assert "names no file to serve" in refusal(folder)


def replace_model(folder: Path, model: onnx.ModelProto | bytes) -> None:
    """Another model under the right hash."""
    (folder / SERVED).write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    digest = __import__("hashlib").sha256((folder / SERVED).read_bytes()).hexdigest()
    edit(folder, lambda content: content["files"][SERVED].update(sha256=digest))


def test_a_file_that_is_no_model_is_refused(folder: Path) -> None:
    """The hash alone does not make a model."""
    replace_model(folder, b"no model")
    assert f"{folder / SERVED} cannot be loaded" in refusal(folder)


def test_another_output_name_is_refused(folder: Path) -> None:
    """The graph is asked, not only the contract."""
    model = onnx.load(folder / SERVED)
    for node in model.graph.node:
        node.output[:] = ["scores" if name == "logits" else name for name in node.output]
    model.graph.output[0].name = "scores"
    replace_model(folder, model)
    assert "its output is [{'name': 'scores'" in refusal(folder)


def test_a_fixed_batch_size_is_refused(folder: Path) -> None:
    """N must be free."""
    model = onnx.load(folder / SERVED)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    replace_model(folder, model)
    assert "its input is [{'name': 'image', 'dtype': 'float32', 'shape': [1, 1, 28, 28]}]" in refusal(folder)


@pytest.mark.parametrize("logit", [100.0, float("nan")])
def test_a_self_test_that_fails_is_refused(folder: Path, logit: float) -> None:
    """One inference at start-up has to give the logits that were verified."""
    edit(folder, lambda content: content["files"][SERVED]["self_test"].__setitem__(3, logit))
    assert "self-test's logits are off by" in refusal(folder)
