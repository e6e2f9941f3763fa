"""The README says what is so: its numbers are the contract's, its settings the service's, its answer the model's."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.settings import WEIGHTS, Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
MODELS = ("cnn-transformer", "cnn")


def document(model: str, name: str) -> dict[str, Any]:
    return dict(json.loads((WEIGHTS / model / name).read_text()))


def people(model: str) -> dict[str, Any]:
    return dict(document(model, "evaluation.json")["sources"]["people's pictures"])


def mnist(model: str) -> dict[str, Any]:
    return dict(document(model, "evaluation.json")["sources"]["MNIST test"])


def file(model: str, name: str) -> dict[str, Any]:
    return dict(document(model, "contract.json")["files"][name])


def share(found: dict[str, Any]) -> str:
    return f"{found['accuracy']:.2%} ({found['images'] - found['correct']} misread)"


def megabytes(model: str, name: str) -> str:
    return f"{(WEIGHTS / model / name).stat().st_size / 1e6:.2f} MB"


def area(model: str, kinds: str) -> str:
    return f"{document(model, 'evaluation.json')['not_a_digit']['auroc'][kinds]:.4f}"


ROWS: dict[str, Callable[[str], str]] = {
    "MNIST test, 10,000 images": lambda m: share(mnist(m)),
    "people's own pictures, 439 by 45 writers": lambda m: share(people(m)),
    "their mean over writers": lambda m: f"{people(m)['writers_mean']:.2%}",
    "their photos, 87": lambda m: f"{people(m)['kinds']['photo']['accuracy']:.2%}",
    "calibration error, MNIST test": lambda m: f"{mnist(m)['calibration_error']:.2%}",
    "calibration error, people's own": lambda m: f"{people(m)['calibration_error']:.2%}",
    "AUROC against what is no digit": lambda m: area(m, "all"),
    "the same with look-alikes of digits": lambda m: area(m, "all and look-alikes"),
    "worst difference of a logit, fp32": lambda m: f"{file(m, 'model.onnx')['parity']['worst_logit_difference']:.1e}",
    "int8 answers as fp32 does, MNIST test": lambda m: (
        f"{file(m, 'model.int8.onnx')['parity']['argmax_agreement']['mnist-test']:.2%}"
    ),
    "int8's time of fp32's": lambda m: f"{document(m, 'contract.json')['int8']['time_of_fp32']:.2f}",
    "`model.onnx`": lambda m: megabytes(m, "model.onnx"),
    "`model.int8.onnx`": lambda m: megabytes(m, "model.int8.onnx"),
    "parameters": lambda m: f"{document(m, 'training.json')['parameters']:,}",
}
"""What README's table says of each model, by the first words of the row."""


def test_its_first_command_gives_the_answer_that_it_shows(client: TestClient) -> None:
    """The curl that comes after `make serve`; the last decimals may depend on the processor."""
    example, answer = re.search(
        r"curl -F file=@(\S+) http://localhost:8000/predict\n```\n\n```json\n(.+)\n", README
    ).groups()  # type: ignore[union-attr]
    with (ROOT / example).open("rb") as file:
        found = client.post("/predict", files={"file": file}).json()
    shown = json.loads(answer)
    assert found["digit"] == shown["digit"]
    assert found["confidence"] == pytest.approx(shown["confidence"], abs=2e-3)


@pytest.mark.parametrize("row", ROWS)
def test_its_numbers_are_the_ones_that_were_measured(row: str) -> None:
    """As contract, training report and evaluation have them."""
    line = next(line for line in README.splitlines() if line.startswith(f"| {row} |"))
    assert [cell.strip() for cell in line.split("|")[2:4]] == [ROWS[row](model) for model in MODELS]


@pytest.mark.parametrize("model", MODELS)
def test_reports_belong_to_the_committed_files(model: str) -> None:
    """The training report to the checkpoint, the evaluation to the file that is served."""
    contract = document(model, "contract.json")
    assert document(model, "training.json")["checkpoint_sha256"] == contract["files"]["model_weights.pth"]["sha256"]
    assert document(model, "evaluation.json")["file_sha256"] == contract["files"][contract["serves"]]["sha256"]


def test_its_table_of_settings_is_complete() -> None:
    """Every setting with its default, and no other."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", README, re.MULTILINE))
    defaults = Settings()
    assert set(rows) == {name.upper() for name in Settings.__dataclass_fields__}
    for name, shown in rows.items():
        value = getattr(defaults, name.lower())
        if name == "WEIGHTS_DIR":
            assert value == ROOT / shown
        elif isinstance(value, int | float):
            assert float(shown) == value
        else:
            assert shown == (",".join(value) if isinstance(value, tuple) else value)
