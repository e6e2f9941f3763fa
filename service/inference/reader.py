"""Read the digit of gray images: a first reading, and where it is doubtful, the best of several alternatives."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging.alternatives import Alternative, find_alternatives
from service.imaging.normalize import Digit, standardize
from service.imaging.segment import MIN_CONTRAST
from service.inference.classifier import Prediction

MIN_SURE = 0.98
"""A first reading with less confidence is doubtful. Of MNIST's validation digits, 1.5% are."""

MIN_FOUND = 0.9
"""Least confidence of an alternative if the first reading found no digit: an empty page must not be read."""

MINOR_HANDICAP = 3.0
"""Log-odds by which a digit that is not the most prominent part of an image must be more probable."""

Gray = NDArray[np.uint8]
Classify = Callable[[NDArray[np.float32]], list[Prediction]]


@dataclass(frozen=True)
class Reading:
    """A digit that was read. digit: what the network saw, and where in the gray image."""

    prediction: Prediction
    digit: Digit


@dataclass(frozen=True)
class FirstReading:
    """The first reading of an image. digit, prediction: None if it shows none, for the reason in `error`."""

    gray: Gray
    digit: Digit | None
    prediction: Prediction | None
    error: ImageError | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether alternatives may be better. A blank image has none."""
        if self.prediction is None:
            return int(self.gray.max()) - int(self.gray.min()) >= MIN_CONTRAST
        return self.prediction.confidence < MIN_SURE

    def settle(self) -> Reading:
        """Take it as the result. Raises ImageError if the image shows no digit."""
        if self.prediction is None or self.digit is None:
            raise self.error or ImageError("no digit found.")
        return Reading(self.prediction, self.digit)


def reconsider(first: FirstReading, classify: Classify) -> Reading:
    """Read the alternatives of a doubtful first reading in one batch, and return the best.

    Raises ImageError if the image shows no digit.
    """
    alternatives = find_alternatives(first.gray, first.digit)
    if first.digit:
        alternatives.insert(0, Alternative(first.digit))
    if not alternatives:
        return first.settle()
    images = np.stack([standardize(alternative.digit.image) for alternative in alternatives])
    predictions = classify(images)
    best = _best(alternatives, predictions)
    if first.digit is None and predictions[best].confidence < MIN_FOUND:
        return first.settle()
    return Reading(predictions[best], alternatives[best].digit)


def _best(alternatives: Sequence[Alternative], predictions: Sequence[Prediction]) -> int:
    """Return the index of the most confident prediction. Parts of an image that are not prominent have a handicap."""
    scores = [
        _log_odds(prediction.confidence) - MINOR_HANDICAP * alternative.is_minor
        for alternative, prediction in zip(alternatives, predictions, strict=True)
    ]
    return scores.index(max(scores))


def _log_odds(probability: float) -> float:
    return math.log(probability) - math.log(max(1 - probability, 1e-9))
