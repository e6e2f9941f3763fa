"""Digits beside or inside something else that was drawn: uint8 (28, 28) in, uint8 (H, W) out."""

import numpy as np
from numpy.typing import NDArray

from export.data.mishaps import pens
from export.data.mishaps.crops import Digit, Image8
from export.data.mishaps.pages import draw_ink, write_on_page
from export.data.mishaps.ranges import Ranges

Segment = tuple[float, float, float, float]
"""A line from x, y to x, y, in a square of side 1."""

SIGNS: dict[str, tuple[Segment, ...]] = {
    "minus": ((0, 0.5, 1, 0.5),),
    "plus": ((0, 0.5, 1, 0.5), (0.5, 0, 0.5, 1)),
    "equals": ((0, 0.3, 1, 0.3), (0, 0.7, 1, 0.7)),
    "hash": ((0.4, 0, 0.25, 1), (0.8, 0, 0.65, 1), (0.05, 0.33, 1, 0.33), (0, 0.68, 0.95, 0.68)),
}


def circled(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Draw a circle around the digit, as freely as a hand does: wavy, and not always closed."""
    ink = draw_ink(digit, rng, ranges)
    height = len(ink)
    margin = round(height * rng.uniform(*ranges.mark_gap))
    ink = np.pad(ink, margin + round(0.2 * height))
    ring = _ring(ink.shape, margin, height * rng.uniform(*ranges.mark_width), rng)
    return write_on_page(np.maximum(ink, ring), rng, ranges)


def sign_before(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Draw a sign before the digit: minus, plus, equals or hash."""
    ink = draw_ink(digit, rng, ranges)
    height = len(ink)
    side, gap = (round(height * rng.uniform(*share)) for share in (ranges.sign_height, ranges.mark_gap))
    segments = SIGNS[str(rng.choice(list(SIGNS)))]
    sign = _draw_segments(segments, side, height * rng.uniform(*ranges.mark_width))
    above = (height - len(sign)) // 2
    before = np.zeros((height, sign.shape[1] + gap))
    before[above : above + len(sign), : sign.shape[1]] = sign
    return write_on_page(np.hstack([before, ink]), rng, ranges)


def _ring(shape: tuple[int, ...], margin: int, width: float, rng: np.random.Generator) -> pens.Ink:
    """Draw an ellipse that lies half a margin inside the canvas, float64 (h, w)."""
    radii = [side / 2 - margin / 2 for side in shape]
    y, x = ((np.arange(side) - side / 2) / radius for side, radius in zip(shape, radii, strict=True))
    radius = np.hypot(y[:, np.newaxis], x)
    angle = np.arctan2(y[:, np.newaxis], x)
    waves = sum(rng.normal(0, 0.015) * np.sin(count * angle + rng.uniform(0, 6)) for count in (1, 2, 3))
    is_drawn = np.abs(angle - rng.uniform(-3, 3)) >= rng.uniform(0, 0.08)
    return np.asarray((np.abs(radius - 1 - waves) * min(radii) <= width / 2) & is_drawn, np.float64)


def _draw_segments(segments: tuple[Segment, ...], side: int, width: float) -> pens.Ink:
    """Draw lines of this width in a square of this side, with a margin for their width: float64 (h, h)."""
    margin = round(width / 2) + 1
    y, x = np.mgrid[-margin : side + margin, -margin : side + margin]
    distances = [_distance(x, y, np.array(segment) * side) for segment in segments]
    return np.asarray(np.min(distances, axis=0) <= width / 2, np.float64)


def _distance(x: NDArray[np.int64], y: NDArray[np.int64], segment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each pixel from a line between two points, float64 (h, w)."""
    start, along = segment[:2], segment[2:] - segment[:2]
    part = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    return np.asarray(np.hypot(x - start[0] - part * along[0], y - start[1] - part * along[1]))
