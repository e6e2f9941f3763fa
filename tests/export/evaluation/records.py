"""Evaluation records with chosen predictions, for tests."""

import numpy as np

from export.evaluation.records import EvalRecord
from service.inference.classifier import Prediction

BLANK = np.zeros((28, 28), np.uint8)


def make_record(label: int, digit: int | None, confidence: float = 0.8, writer: str = "", kind: str = "") -> EvalRecord:
    """Return a record with this prediction, the other nine digits equally probable. A digit of None: rejected."""
    rest = (1 - confidence) / 9
    probabilities = tuple(confidence if other == digit else rest for other in range(10))
    return EvalRecord(label, None if digit is None else Prediction(digit, probabilities), BLANK, writer, kind)
