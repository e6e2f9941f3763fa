"""The examples reach the model, and are read, as they were when someone last looked."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.classifier import Classifier
from tests.golden import FOLDER, canvases, predictions, write


def test_the_canvases_are_the_golden_ones() -> None:
    """To one grey level, which is what rounding may cost on another processor."""
    golden = np.asarray(Image.open(FOLDER / "canvases.png"), int)
    assert np.abs(canvases() - golden).max() <= 1


def test_the_predictions_are_the_golden_ones(classifier: Classifier) -> None:
    """The same digits with the same confidence."""
    golden = json.loads((FOLDER / "predictions.json").read_text())
    found = predictions(classifier)
    assert found.keys() == golden.keys()
    for name, answer in found.items():
        assert answer["digit"] == golden[name]["digit"]
        assert answer["confidence"] == pytest.approx(golden[name]["confidence"], abs=2e-3)


def test_the_generator_writes_what_is_committed(tmp_path: Path) -> None:
    """Otherwise nobody could mend the golden files."""
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.iterdir()}
    committed, written = (json.loads((folder / "predictions.json").read_text()) for folder in (FOLDER, tmp_path))
    assert committed.keys() == written.keys()
    written_size, size = (np.asarray(Image.open(folder / "canvases.png")).shape for folder in (tmp_path, FOLDER))
    assert written_size == size
