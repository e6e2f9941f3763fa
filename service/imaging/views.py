"""Views of a canvas: the same digit slightly turned, scaled and slanted."""

import math

import numpy as np
from numpy.typing import NDArray

from service.imaging.normalize import SIDE

TURN = math.radians(8)
SCALE = 0.08
SLANT = 0.15

Matrix = tuple[tuple[float, float], tuple[float, float]]

MATRICES: tuple[Matrix, ...] = (
    *(((math.cos(turn), -math.sin(turn)), (math.sin(turn), math.cos(turn))) for turn in (TURN, -TURN)),
    *(((scale, 0.0), (0.0, scale)) for scale in (1 + SCALE, 1 - SCALE)),
    *(((1.0, slant), (0.0, 1.0)) for slant in (SLANT, -SLANT)),
)
"""How each view maps its (x, y), counted from the center, to the canvas. Chosen on MNIST's validation images."""

PADDED = SIDE + 2
"""The canvas has a border of one pixel, from which the views take what lies outside."""


def canvas_views(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the views of a canvas, float32 (28, 28) in [0, 1]: float32 (6, 28, 28)."""
    pixels = np.pad(image, 1).ravel()
    views = (pixels[_INDICES] * _WEIGHTS).sum(axis=1, dtype=np.float32)
    return np.asarray(views.reshape(-1, SIDE, SIDE))


def _taps(matrix: Matrix) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the four pixels that each pixel of a view mixes, and their weights: both (4, 28 * 28)."""
    middle = (SIDE - 1) / 2
    down, across = np.mgrid[:SIDE, :SIDE].reshape(2, -1) - middle
    (xx, xy), (yx, yy) = matrix
    x, y = (
        np.clip(value + middle + 1, 0, PADDED - 1.001) for value in (xx * across + xy * down, yx * across + yy * down)
    )
    left, top = x.astype(np.intp), y.astype(np.intp)
    right_share, bottom_share = x - left, y - top
    corner = top * PADDED + left
    indices = np.stack([corner, corner + 1, corner + PADDED, corner + PADDED + 1])
    weights = np.stack(
        [
            (1 - right_share) * (1 - bottom_share),
            right_share * (1 - bottom_share),
            (1 - right_share) * bottom_share,
            right_share * bottom_share,
        ]
    )
    return indices, weights.astype(np.float32)


_INDICES, _WEIGHTS = (np.stack(parts) for parts in zip(*map(_taps, MATRICES), strict=True))
"""(6, 4, 28 * 28) each."""
