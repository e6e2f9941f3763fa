"""The examples give the committed model inputs and predictions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.inference.classifier import Classifier
from tests.golden import FOLDER, model_inputs, predictions, write

MAX_GRAY_DIFFERENCE = 1  # rounding on another processor
MAX_CONFIDENCE_DIFFERENCE = 2e-3


def read_inputs(folder: Path) -> NDArray[np.int64]:
    return np.asarray(Image.open(folder / "model_inputs.png"), np.int64)


def assert_same_predictions(actual: dict[str, Any], golden: dict[str, Any]) -> None:
    assert actual.keys() == golden.keys()
    for name, prediction in actual.items():
        assert prediction["digit"] == golden[name]["digit"]
        assert prediction["confidence"] == pytest.approx(golden[name]["confidence"], abs=MAX_CONFIDENCE_DIFFERENCE)


def test_preprocessing_gives_the_golden_model_inputs() -> None:
    """Match the committed inputs to one gray level."""
    assert np.abs(model_inputs() - read_inputs(FOLDER)).max() <= MAX_GRAY_DIFFERENCE


def test_the_model_gives_the_golden_predictions(classifier: Classifier) -> None:
    """Match the committed digits, and the confidences to 0.002."""
    assert_same_predictions(predictions(classifier), json.loads((FOLDER / "predictions.json").read_text()))


def test_the_generator_reproduces_both_golden_files(tmp_path: Path) -> None:
    """Write files that hold the same inputs and predictions as the committed ones."""
    write(tmp_path)
    written, golden = (json.loads((folder / "predictions.json").read_text()) for folder in (tmp_path, FOLDER))
    assert_same_predictions(written, golden)
    assert np.abs(read_inputs(tmp_path) - read_inputs(FOLDER)).max() <= MAX_GRAY_DIFFERENCE
