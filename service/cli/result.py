"""The result of reading one file."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.cli.source import Source
from service.errors import RequestError
from service.inference.reading import Reading

DECIMALS = 4


Thumbnail = NDArray[np.uint8]
"""A small gray image, uint8 (H, W), 0 = black."""

Readings = Sequence[Reading] | RequestError
"""The digits of one file from left to right, or why none was read."""


@dataclass(frozen=True, slots=True)
class DigitResult:
    """A digit that was read. probabilities: ten. box: left, top, width and height in pixels of the upright image."""

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    box: list[int]


@dataclass(frozen=True, slots=True)
class Result:
    """The digits of a file from left to right, or why none was read.

    thumbnail, model_input: for the contact sheet. model_input: the 28 x 28 images that the network saw, side by side.
    """

    digits: tuple[DigitResult, ...] = ()
    error: str = ""
    thumbnail: Thumbnail | None = None
    model_input: Thumbnail | None = None

    @property
    def number(self) -> str:
        """Return the digits as text: a number may start with zeros."""
        return "".join(str(digit.digit) for digit in self.digits)

    @property
    def confidence(self) -> float:
        """Return the probability that all digits are right."""
        return round(math.prod(digit.confidence for digit in self.digits), DECIMALS)


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one file, and the file's name."""

    file: str
    result: Result


def make_rows(sources: Iterable[Source], results: Iterable[Result]) -> list[Row]:
    """Pair results with the next sources."""
    pairs = zip(results, sources, strict=False)  # results first: otherwise zip would take one source more
    return [Row(_printable(source.name), result) for result, source in pairs]


def make_result(readings: Readings, thumbnail: Thumbnail | None = None) -> Result:
    """Convert the readings of one file. With a thumbnail, keep what the network saw."""
    if isinstance(readings, RequestError):
        return Result(error=str(readings), thumbnail=thumbnail)
    digits = tuple(_digit_result(reading) for reading in readings)
    return Result(digits, "", thumbnail, None if thumbnail is None else _model_input(readings))


def _digit_result(reading: Reading) -> DigitResult:
    prediction = reading.prediction
    probabilities = tuple(round(probability, DECIMALS) for probability in prediction.probabilities)
    return DigitResult(prediction.digit, probabilities[prediction.digit], probabilities, reading.box)


def _model_input(readings: Sequence[Reading]) -> Thumbnail:
    return np.hstack([(reading.digit.image * 255).round().astype(np.uint8) for reading in readings])


def _printable(name: str) -> str:
    """Escape the bytes of a file name that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
