"""The README says what is so: its numbers are the contract's, its settings the service's, its answer the model's."""

import json
import re

import pytest
from starlette.testclient import TestClient

from service.settings import WEIGHTS, Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
FOLDER = WEIGHTS / "cnn-transformer"
MODEL = json.loads((FOLDER / "contract.json").read_text())["files"]["model.onnx"]
TRAINING = json.loads((FOLDER / "training.json").read_text())


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


def cell(row: str) -> str:
    """The second cell of the row of the table that begins so."""
    return next(line for line in README.splitlines() if line.startswith(f"| {row}")).split("|")[2].strip()


def test_its_numbers_are_the_ones_that_were_measured() -> None:
    """Accuracy, validation, parity and size, as contract and training report have them."""
    accuracy = MODEL["accuracy"]["mnist-test"]
    assert cell("accuracy on the 10,000") == f"{accuracy['correct'] / accuracy['images']:.2%}"
    assert cell("MNIST accuracy on the 5,000") == f"{TRAINING['best']['validation_accuracy']:.2%}"
    assert cell("worst difference").startswith(f"{MODEL['parity']['worst_logit_difference']:.2g} ")
    assert cell("parameters").startswith(f"{TRAINING['parameters']:,} ")
    assert cell("`model.onnx`") == f"{(FOLDER / 'model.onnx').stat().st_size / 1e6:.2f} MB"


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
