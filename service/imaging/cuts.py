"""Cut a group of touching digits into the pieces that may be digits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.imaging.components import label_components
from service.imaging.normalize import Digit, place
from service.imaging.segment import Ink

MIN_CUT_WIDTH = 0.8
"""Width of a digit in heights of the line. A wider one may be several that touch."""

MIN_PIECE_WIDTH, MAX_PIECE_WIDTH = 0.15, 1.3
"""Width of a piece in heights of the line."""

CUTS_PER_HEIGHT, MAX_CUTS = 5, 12
"""Cuts of a group per line height of its width, and at most."""

MIN_PIECE_INK = 0.1
"""Share of a piece's ink. A fragment with less belongs to its neighbor."""


@dataclass(frozen=True)
class Piece:
    """A digit of a group, from cut `start` to cut `end`. aspect: its width in heights of the line."""

    digit: Digit
    start: int
    end: int
    aspect: float


@dataclass(frozen=True)
class Group:
    """Ink that is one digit, or several that touch.

    strokes: how many strokes each place between two pieces cuts, with both ends, where it is 0.
    """

    strokes: list[int]
    pieces: list[Piece]


def cut_group(ink: Ink, height: int, with_cuts: bool) -> Group:
    """Cut a group at the columns with the least ink, if it is wide enough for several digits."""
    width = ink.pixels.shape[1]
    cuts = [0, *_cut_columns(ink.pixels, height), width] if with_cuts and width > MIN_CUT_WIDTH * height else [0, width]
    pieces = []
    for start, left in enumerate(cuts):
        for end, right in enumerate(cuts[start + 1 :], start + 1):
            is_whole = (start, end) == (0, len(cuts) - 1)
            if is_whole or MIN_PIECE_WIDTH * height <= right - left <= MAX_PIECE_WIDTH * height:
                digit = _piece(ink, left, right)
                pieces += [Piece(digit, start, end, (right - left) / height)] if digit else []
    return Group([0, *(_count_strokes(ink.pixels[:, column]) for column in cuts[1:-1]), 0], pieces)


def _count_strokes(column: NDArray[np.float32]) -> int:
    """Count the runs of ink in a column, float32 (h,)."""
    mask = column > 0
    return int(np.count_nonzero(mask[1:] & ~mask[:-1])) + int(mask[0])


def _cut_columns(pixels: NDArray[np.float32], height: int) -> list[int]:
    """Return columns with locally least ink, at least a tenth of the height apart, in order."""
    profile = np.convolve(np.pad(pixels.sum(axis=0), 1, mode="edge"), np.ones(3) / 3, "valid")
    distance = max(1, round(0.1 * height))
    margin = max(1, round(MIN_PIECE_WIDTH * height))
    chosen: list[int] = []
    for column in profile.argsort(kind="stable").tolist():
        is_inside = margin <= column <= len(profile) - margin
        if is_inside and all(abs(column - other) >= distance for other in chosen):
            chosen.append(column)
        if len(chosen) >= min(MAX_CUTS, CUTS_PER_HEIGHT * len(profile) / height):
            break
    return sorted(chosen)


def _piece(ink: Ink, left: int, right: int) -> Digit | None:
    """Normalize a part of a group without the fragments of its neighbors. None if it holds no ink."""
    pixels = ink.pixels[:, left:right]
    mask = pixels > 0
    if not mask.any():
        return None
    if right - left < ink.pixels.shape[1]:
        components = label_components(mask, pixels)
        kept = components.ink >= min(MIN_PIECE_INK * components.ink.sum(), components.ink.max())
        pixels = np.where(components.mask(kept), pixels, np.float32(0))
    return place(Ink(pixels, ink.top, ink.left + left))
