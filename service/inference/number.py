"""Read all digits of a line: the network decides where digits that touch are cut apart."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.imaging.cuts import Group
from service.imaging.line import GroupedLine, find_line_alternatives, find_lines
from service.imaging.normalize import standardize
from service.inference.classifier import Prediction
from service.inference.reading import Classify, Gray, Reading
from service.inference.thin_strokes import thicken_doubtful

CUT_COST = 0.5
"""Log-probability that a cut costs."""

STROKE_COST = 0.5
"""Log-probability that each stroke costs that a cut divides: digits that touch share one stroke, seldom two."""

MAX_PIECE_ASPECT = 0.95
"""Width of most digits in heights of the line."""

ASPECT_COST = 2.0
"""Log-probability that a piece costs for each line height by which it is wider."""

DIGIT_EVIDENCE = 0.5
"""Evidence of a digit without doubt for a version of a line."""

DOUBT_WEIGHT = 2.0
"""How often the log-probability of a digit is added: one of less confidence than 0.78 counts against its version."""

AGREEMENT_SHARE = 0.5
"""Share of its evidence per digit that a second version with the same digits adds: less than one more digit does."""

MIN_SURE_DIGIT = 0.9
"""A line with a digit of less confidence is doubtful: its alternatives are read, too."""

MIN_SEVERAL = 0.8
"""Least confidence of each of several digits."""

MAX_DIGITS = 32
"""Digits of a line."""

MAX_LINE_ELONGATION = 128
"""Longer sides of an image in shorter ones. In a longer strip, no line is searched."""

MAX_PIECES = 256
"""Pieces that go through the network at once, which bounds the time of a hostile image."""


@dataclass(frozen=True)
class Line:
    """The digits of a line, from left to right.

    is_sure: each stands alone, and is read without doubt. has_border: some lie along the image's border.
    may_be_several: more ink is as tall as a digit, or in one version of the line two digits are read without doubt.
    versions: what was read with and without what lies along the border.
    """

    readings: list[Reading]
    is_sure: bool = False
    has_border: bool = False
    may_be_several: bool = False
    versions: Sequence[list[Reading]] = ()

    @property
    def is_number(self) -> bool:
        """Return whether these are several digits for sure. A sure line along the border may be the edge of a page."""
        return self.is_sure and not self.has_border and len(self.readings) > 1


def read_line(gray: Gray, classify: Classify) -> Line:
    """Read the digits of a line in an image, uint8 (H, W), that stand out from its background."""
    versions = [] if _is_strip(gray) else find_lines(gray)
    lines = _read_groups(versions, classify)
    if not lines:
        return Line([])
    longest = max(range(len(lines)), key=lambda index: len(lines[index]))
    readings = lines[longest]
    is_sure = all(reading.prediction.confidence >= MIN_SURE_DIGIT for reading in readings)
    is_sure = is_sure and len(readings) == len(versions[longest].groups) > 0 and not versions[longest].has_rest
    may_be_several = versions[longest].has_rest or any(_count_sure(version) > 1 for version in lines)
    return Line(readings, is_sure, longest > 0, may_be_several, lines)


def reread_line(line: Line, gray: Gray, classify: Classify) -> list[Reading]:
    """Return the version of a doubtful line that looks most like digits: cut out tightly, or without printed lines."""
    if (line.is_sure and not line.has_border) or _is_strip(gray):
        return line.readings
    return _best_version([*line.versions, *_read_groups(find_line_alternatives(gray), classify)])


def shows_several(gray: Gray, classify: Classify, may_touch: bool) -> bool:
    """Return whether an image, uint8 (H, W), surely shows several digits side by side. may_touch: they may touch."""
    if _is_strip(gray):
        return False
    lines = find_lines(gray, with_cuts=False)
    if may_touch and all(len(line.groups) < 2 for line in lines):
        lines = find_lines(gray)
    return any(_count_sure(readings) > 1 for readings in _read_groups(lines, classify))


def _is_strip(gray: Gray) -> bool:
    return bool(max(gray.shape) > MAX_LINE_ELONGATION * min(gray.shape))


def _count_sure(readings: Sequence[Reading]) -> int:
    return sum(reading.prediction.confidence >= MIN_SEVERAL for reading in readings)


def _read_groups(versions: Iterable[GroupedLine], classify: Classify) -> list[list[Reading]]:
    """Read several versions of a line in one batch of at most MAX_PIECES. What is beyond is left out."""
    lines: list[list[Group]] = []
    size = 0
    for line in versions:
        size += sum(len(group.pieces) for group in line.groups)
        if size > MAX_PIECES:
            break
        lines.append(line.groups)
    pieces = [piece for line in lines for group in line for piece in group.pieces]
    predictions = iter(_classify_pieces([piece.digit.image for piece in pieces], classify))
    return [
        [reading for group in line for reading in _best_cuts(group, [next(predictions) for _ in group.pieces])]
        for line in lines
    ]


def _classify_pieces(images: Sequence[NDArray[np.float32]], classify: Classify) -> list[Prediction]:
    """Classify normalized images, float32 (28, 28), some of thin strokes."""
    if not images:
        return []
    predictions = classify(np.stack([standardize(image) for image in images]))
    return thicken_doubtful(images, predictions, classify, MIN_SURE_DIGIT)


def _best_cuts(group: Group, predictions: Sequence[Prediction]) -> list[Reading]:
    """Choose the pieces that cover a group with the highest product of confidences."""
    best: list[tuple[float, list[Reading]]] = [(-math.inf, []) for _ in group.strokes]
    best[0] = (0.0, [])
    for piece, prediction in sorted(zip(group.pieces, predictions, strict=True), key=lambda item: item[0].end):
        score, readings = best[piece.start]
        score += math.log(prediction.confidence) - ASPECT_COST * max(0.0, piece.aspect - MAX_PIECE_ASPECT)
        score -= (CUT_COST + STROKE_COST * group.strokes[piece.start]) * bool(readings)
        if score > best[piece.end][0]:
            best[piece.end] = (score, [*readings, Reading(prediction, piece.digit)])
    return best[-1][1]


def _best_version(versions: Sequence[list[Reading]]) -> list[Reading]:
    """Return the version with the most evidence. Versions with the same digits support each other."""
    agreeing: dict[tuple[int, ...], list[list[Reading]]] = {}
    for readings in versions:
        agreeing.setdefault(tuple(reading.prediction.digit for reading in readings), []).append(readings)
    return max(max(agreeing.values(), key=_total_evidence), key=_evidence) if agreeing else []


def _total_evidence(versions: Iterable[list[Reading]]) -> float:
    """Return the evidence of the best of several versions with the same digits, and a share of that of the second."""
    best, *others = sorted(((_evidence(readings), len(readings)) for readings in versions), reverse=True)
    return best[0] + AGREEMENT_SHARE * sum(max(0.0, evidence) / max(1, count) for evidence, count in others[:1])


def _evidence(readings: Sequence[Reading]) -> float:
    """Return how much a version of a line looks like digits: sure ones count for it, unsure ones against it."""
    return sum(DIGIT_EVIDENCE + DOUBT_WEIGHT * math.log(reading.prediction.confidence) for reading in readings)
