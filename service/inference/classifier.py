"""The classifier: the served model of a verified contract, from standardized images to predictions."""

import math
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from service.errors import ModelError
from service.imaging.normalize import SIDE, standardize
from service.inference.contract import Contract
from service.inference.session import Session

SELF_TEST_TOLERANCE = {"fp32": 1e-2, "int8": 0.5}
"""Absolute difference of a logit. Processors differ by about 1e-5 in fp32 and by some hundredths in int8; a wrong file
or a broken build differs by far more."""

RUN_SIZE = 32
"""Images of one run of the model. Their activations take 4.4 MB; those of the 256 pieces of a line would take 38 MB."""

MIN_PROBABILITY = 1e-38
"""Smaller ones count as this, so that logarithms stay finite in float32."""


@dataclass(frozen=True)
class Prediction:
    """One classified image. digit: the most probable, 0 to 9; probabilities: ten floats in [0, 1] that sum to 1.

    network_logits: ten floats, whose softmax the probabilities are. Empty if these are not the network's own.
    """

    digit: int
    probabilities: tuple[float, ...]
    network_logits: tuple[float, ...] = ()

    @property
    def confidence(self) -> float:
        """The probability of the predicted digit."""
        return self.probabilities[self.digit]

    @property
    def logits(self) -> tuple[float, ...]:
        """The network's logits, or else the logarithms of the probabilities. Their softmax is the same."""
        return self.network_logits or tuple(math.log(max(share, MIN_PROBABILITY)) for share in self.probabilities)


class Classifier:
    """Classifies standardized images with the served file of a contract."""

    def __init__(self, contract: Contract) -> None:
        """Load the model and run its self-test. Raises ModelError if its logits differ from the contract's."""
        self.contract = contract
        self._session = Session(contract.model_file)
        self._run_self_test()

    def classify(self, images: NDArray[np.float32]) -> list[Prediction]:
        """Classify float32 (N, 1, 28, 28), standardized. Returns N predictions in order."""
        starts = range(0, max(1, len(images)), RUN_SIZE)
        runs = (self._session.logits(images[start : start + RUN_SIZE]) for start in starts)
        return [_prediction(logits) for run in runs for logits in run.tolist()]

    def _run_self_test(self) -> None:
        logits = self._session.logits(self_test_input())[0]
        difference = float(np.abs(logits - np.asarray(self.contract.self_test)).max())
        tolerance = SELF_TEST_TOLERANCE[self.contract.served["precision"]]
        if not difference <= tolerance:  # written so that NaN fails too
            raise ModelError(
                f"{self.contract.model_file}: the self-test's logits are off by {difference:.3g} (at most"
                f" {tolerance:g}). onnxruntime {ort.__version__} does not run this model correctly on this machine."
            )


def softmax(logits: list[float]) -> list[float]:
    """Convert logits to probabilities in [0, 1] that sum to 1. For ten values, plain Python is faster than numpy."""
    highest = max(logits)
    exponentials = [math.exp(logit - highest) for logit in logits]
    total = sum(exponentials)
    return [exponential / total for exponential in exponentials]


def self_test_input() -> NDArray[np.float32]:
    """Return a fixed image of smooth waves, float32 (1, 1, 28, 28), standardized. It exercises every weight."""
    y, x = np.mgrid[:SIDE, :SIDE]
    image = 0.5 + 0.25 * np.sin(x / 3) + 0.25 * np.cos(y / 2)
    return standardize(image.astype(np.float32))[np.newaxis]


def _prediction(logits: list[float]) -> Prediction:
    probabilities = softmax(logits)
    return Prediction(probabilities.index(max(probabilities)), tuple(probabilities), tuple(logits))
