"""A contract is accepted only if its terms and the files beside it are as it says; otherwise an error names both."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.errors import ModelError
from service.inference.contract import CONTRACT_FILE, Contract
from tests.conftest import WEIGHTS

MODELS = sorted(path.parent.name for path in WEIGHTS.glob(f"*/{CONTRACT_FILE}"))
SERVED = str(json.loads((WEIGHTS / "cnn-transformer" / CONTRACT_FILE).read_text())["serves"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the default model's folder, for a test to damage."""
    return Path(shutil.copytree(WEIGHTS / "cnn-transformer", tmp_path / "cnn-transformer"))


def edit_contract(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / CONTRACT_FILE).read_text())
    change(content)
    (folder / CONTRACT_FILE).write_text(json.dumps(content))


def error_of(folder: Path) -> str:
    """Return the message of the error that verifying this folder must raise."""
    with pytest.raises(ModelError) as raised:
        Contract.verify(folder)
    return str(raised.value)


@pytest.mark.parametrize("model", MODELS)
def test_committed_model_is_verified(model: str) -> None:
    """Verify every model in the repository, with a served file and ten self-test logits."""
    contract = Contract.verify(WEIGHTS / model)
    assert contract.model_file.is_file()
    assert len(contract.self_test) == 10


def test_files_that_are_not_served_may_be_missing(folder: Path) -> None:
    """Accept a folder without the checkpoint and without the ONNX file of the other precision."""
    for file in {"model_weights.pth", "model.onnx", "model.int8.onnx"} - {SERVED}:
        (folder / file).unlink()
    assert Contract.verify(folder).model_file == folder / SERVED


@pytest.mark.parametrize("file", ["model.onnx", "model.int8.onnx", "model_weights.pth"])
def test_changed_file_is_named_with_both_hashes(folder: Path, file: str) -> None:
    """Reject a file in which one bit differs, also if it is not served."""
    damaged = bytearray((folder / file).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / file).write_bytes(damaged)
    expected = json.loads((folder / CONTRACT_FILE).read_text())["files"][file]["sha256"]
    message = error_of(folder)
    assert message.startswith(f"{folder / file} has SHA-256 ")
    assert f"but its contract says {expected}." in message
    assert message.endswith(f"run `make export MODEL={folder.name}`.")


@pytest.mark.parametrize("file", [SERVED, CONTRACT_FILE])
def test_missing_file_is_named(folder: Path, file: str) -> None:
    """Reject a folder without its contract or its served file, with the reason of the operating system."""
    (folder / file).unlink()
    assert f"{folder / file} cannot be read (No such file or directory)" in error_of(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not valid JSON"),
        ("{", "is not valid JSON"),
        ("\x00", "is not valid JSON"),
        ("[]", "is not a JSON object"),
        ("null", "is not a JSON object"),
    ],
)
def test_contract_that_is_not_a_json_object_is_rejected(folder: Path, text: str, reason: str) -> None:
    """Reject a contract that is malformed or of another JSON type."""
    (folder / CONTRACT_FILE).write_text(text)
    assert error_of(folder).startswith(f"{folder / CONTRACT_FILE} {reason}")


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
def test_unexpected_term_is_named_with_its_value(folder: Path, term: str, value: object) -> None:
    """Reject a model that was trained for another input or output: it would respond with wrong digits."""
    edit_contract(folder, lambda content: content.update({term: value}))
    assert f"{term} is {value!r}, but this service requires" in error_of(folder)


@pytest.mark.parametrize("serves", ["model.int4.onnx", None])
def test_served_file_must_be_listed(folder: Path, serves: str | None) -> None:
    """Reject a contract that serves a file that it does not list, because its hash would not be verified."""
    edit_contract(folder, lambda content: content.update(serves=serves))
    assert "names no file to serve" in error_of(folder)


@pytest.mark.parametrize("serves", [["model.onnx"], {}, 1])
def test_name_of_another_type_is_rejected(folder: Path, serves: object) -> None:
    """Reject a contract whose served file is not a name."""
    edit_contract(folder, lambda content: content.update(serves=serves))
    assert "names no file to serve" in error_of(folder)


@pytest.mark.parametrize("term", ["model", "opset", "versions"])
def test_missing_term_is_named(folder: Path, term: str) -> None:
    """Reject a contract without a term that GET /model shows."""
    edit_contract(folder, lambda content: content.pop(term))
    assert error_of(folder) == f"{folder / CONTRACT_FILE} is incomplete (without {term}). Run `make export`."


@pytest.mark.parametrize(
    ("file", "key"),
    [(SERVED, "sha256"), ("model_weights.pth", "sha256"), (SERVED, "precision"), (SERVED, "self_test")],
)
def test_missing_entry_of_a_file_is_named(folder: Path, file: str, key: str) -> None:
    """Reject a contract without the hash of a file, or without precision or self-test of the served one."""
    edit_contract(folder, lambda content: content["files"][file].pop(key))
    assert error_of(folder) == f"{folder / CONTRACT_FILE} is incomplete (without {key} of {file}). Run `make export`."


def test_file_without_entries_is_rejected(folder: Path) -> None:
    """Reject a contract that gives a string where it should describe a file."""
    edit_contract(folder, lambda content: content["files"].update({SERVED: "abc"}))
    assert f"is incomplete (without sha256 of {SERVED}, precision of {SERVED}, self_test" in error_of(folder)


@pytest.mark.parametrize("precision", ["fp16", None, []])
def test_unknown_precision_is_named(folder: Path, precision: object) -> None:
    """Reject a precision for which no tolerance of the self-test is known."""
    edit_contract(folder, lambda content: content["files"][SERVED].update(precision=precision))
    assert f"precision is {precision!r}, but this service requires one of fp32, int8." in error_of(folder)


@pytest.mark.parametrize("self_test", [[0.0] * 9, [0.0] * 9 + ["0"], {}, None])
def test_self_test_must_be_ten_numbers(folder: Path, self_test: object) -> None:
    """Reject a self-test that cannot be compared with ten logits."""
    edit_contract(folder, lambda content: content["files"][SERVED].update(self_test=self_test))
    assert "self_test is not a list of ten numbers" in error_of(folder)
