"""Tell an image with strokes from an empty page: it has edges."""

import numpy as np
from numpy.typing import NDArray

from service.imaging import morphology
from service.imaging.segment import MIN_CONTRAST

EDGE_STEP = 3
"""Pixels across which an edge changes."""

EDGE_FACTOR = 9.0
"""Least change of an edge, in median changes of the image. The largest change of noise is 7."""

STRONG_EDGE = 90
"""Least change of an edge in gray levels where a pattern covers the image."""


def has_edges(gray: NDArray[np.uint8]) -> bool:
    """Return whether an image, uint8 (H, W), has an edge that stands out from its shading and its noise."""
    change = _changes(gray)
    if change.size == 0:
        return False
    if int(change.max()) >= max(MIN_CONTRAST, EDGE_FACTOR * float(np.median(change))):
        return True
    return int(_changes(morphology.median(gray)).max()) >= STRONG_EDGE


def _changes(gray: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return how much the gray changes over a few pixels, down and across, int16 (n,)."""
    step = max(EDGE_STEP, max(gray.shape) // 20)
    levels = gray.astype(np.int16)
    return np.concatenate([np.abs(axis[step:] - axis[:-step]).ravel() for axis in (levels, levels.T)])
