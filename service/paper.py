"""What a picture would be without its ink: the paper's grey, even or shaded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

EVEN = 2
"""Grey levels by which half of an even border may differ from its median: drawings, scans, compressed or not."""

FAR = 12
"""Grey levels beyond which a pixel of the border is not paper."""

SAMPLES = 48
"""Samples a side, at least, from which a shaded paper is estimated: light changes slowly."""

ROUNDS = 6


@dataclass(frozen=True)
class Paper:
    """grey: float32 () or (H, W), 0 to 255; noise: grey levels, the deviation of the paper's own texture."""

    grey: Floats
    noise: float


def estimate(picture: Grey) -> Paper:
    """The paper of a picture, uint8 (H, W). Its border is taken for paper where most of it is one grey."""
    outermost = border(picture)
    if (outermost == outermost[0]).all():  # most that is drawn on a screen, and the quickest to see
        return Paper(np.float32(outermost[0]), 0.0)  # type: ignore[arg-type]  # a scalar broadcasts
    edge = outermost.astype(np.float32)
    level = _median(edge)
    distance = np.abs(edge - level)
    spread = float(_median(distance))
    if spread <= EVEN and np.count_nonzero(distance > FAR) < 0.25 * edge.size:
        return Paper(level, 1.5 * spread)  # type: ignore[arg-type]  # a scalar broadcasts
    return _shaded(picture)


def _median(values: Floats) -> np.float32:
    """Of a few hundred values: `np.median` takes ten times as long, most of it before it looks at them."""
    ordered = np.sort(values)
    return np.float32((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)


def border(picture: Grey) -> Grey:
    """The outermost pixels: uint8 (H, W) to uint8 (2 H + 2 W,)."""
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _shaded(picture: Grey) -> Paper:
    """A quadratic surface through the pixels that lie on it: trimmed least squares, begun around the median."""
    down, across = (max(1, side // SAMPLES) for side in picture.shape)
    sample = picture[down // 2 :: down, across // 2 :: across].astype(np.float32)
    terms, values = _terms(*sample.shape).reshape(6, -1).T, sample.ravel()
    distance = np.abs(values - np.median(values))
    on_paper = distance <= max(3.75 * float(np.median(distance)), 8)
    for _ in range(ROUNDS):
        weights = np.linalg.lstsq(terms[on_paper], values[on_paper], rcond=None)[0]
        distance = np.abs(values - terms @ weights)
        noise = 1.4826 * float(np.median(distance[on_paper]))
        before, on_paper = on_paper, distance <= max(2.5 * noise, 3)
        if np.array_equal(before, on_paper):
            break
    return Paper(np.tensordot(weights, _terms(*picture.shape), 1), noise)


def _terms(height: int, width: int) -> Floats:
    """1, y, x, y², x² and xy over a picture, float32 (6, H, W), with y and x from -1 to 1."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis]
    x = np.linspace(-1, 1, width, dtype=np.float32)[np.newaxis]
    return np.stack(np.broadcast_arrays(np.float32(1), y, x, y * y, x * x, x * y)).astype(np.float32)
