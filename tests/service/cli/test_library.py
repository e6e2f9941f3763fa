"""The predictor is a library: two calls from bytes to a digit."""

import subprocess
import sys
from typing import assert_type

import pytest

import service
from service.errors import ImageError, ModelError
from service.inference.classifier import Prediction
from tests.conftest import ROOT
from tests.images import DIGIT, SEVEN, encode


def test_two_calls_predict_a_digit() -> None:
    """Load the default model and predict the digit of an image. `make lint` checks the type."""
    prediction = assert_type(service.Predictor.load().predict(encode(SEVEN)), Prediction)
    assert prediction.digit == DIGIT
    assert prediction.confidence == prediction.probabilities[DIGIT]


def test_another_model_is_loaded_by_name() -> None:
    """Load the smaller model; raise ModelError for one that does not exist."""
    assert service.Predictor.load("cnn").predict(encode(SEVEN)).digit == DIGIT
    with pytest.raises(ModelError, match="contract.json cannot be read"):
        service.Predictor.load("none")
    with pytest.raises(ImageError, match="too many pixels"):
        service.Predictor.load(max_decoded_bytes=5_000).predict(encode(SEVEN))


def test_importing_the_package_loads_no_model_code() -> None:
    """Import neither numpy nor onnxruntime until the predictor is used; reject other names as any module does."""
    program = "import service, sys; print('numpy' in sys.modules); service.Predictor; print('numpy' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["False", "True"]
    with pytest.raises(AttributeError, match="no attribute 'Predicter'"):
        service.Predicter  # noqa: B018
