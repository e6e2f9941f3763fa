"""Readings made by hand."""

import numpy as np

from export.readings import Reading
from service.classifier import Prediction

CANVAS = np.zeros((28, 28), np.uint8)


def reading(label: int, digit: int | None, confidence: float = 0.8, writer: str = "", kind: str = "") -> Reading:
    """What the service answered, the rest of its confidence spread evenly; no digit: it refused."""
    rest = (1 - confidence) / 9
    answer = None if digit is None else Prediction(digit, tuple(confidence if d == digit else rest for d in range(10)))
    return Reading(label, answer, CANVAS, writer, kind)
