"""Remove printed lines from a mask: ruled and squared paper, boxes of forms. They are long, thin and straight."""

import numpy as np
from numpy.typing import NDArray

from service.imaging import morphology
from service.imaging.components import label_components

MIN_SEGMENT = 9
"""Pixels. A shorter run is not evidence of a line."""

MAX_THICKNESS = 3
MAX_THICKNESS_SHARE = 1 / 20
"""A line's mean thickness in pixels, or as a share of its length, whichever allows more."""


class Lines:
    """The printed lines of a mask: horizontal and vertical ones, a little askew at most."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        """Find what may be a line in a mask, bool (H, W)."""
        self._mask = mask
        self._directions = (_Direction(mask), _Direction(mask.T))

    def remove(self, min_share: float) -> NDArray[np.bool_]:
        """Return the mask, bool (H, W), without its lines.

        min_share: length of the shortest line, as a share of the image's side. Strokes that cross a line keep the
        pixels of the crossing.
        """
        horizontal, vertical = (direction.lines(min_share) for direction in self._directions)
        return self._mask & ~horizontal & ~vertical.T


class _Direction:
    """The horizontal runs of a mask that may be lines."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._mask = mask
        segment = max(MIN_SEGMENT, mask.shape[1] // 8) // 2 * 2 + 1
        runs = morphology.open(morphology.dilate(mask, 3, 1), 1, segment)  # a line askew moves by one row in each run
        self._components = label_components(runs, runs.astype(np.float32)) if runs.any() else None

    def lines(self, min_share: float) -> NDArray[np.bool_]:
        """Return the pixels of lines without their crossings, bool (H, W)."""
        if self._components is None:
            return np.zeros_like(self._mask)
        length = self._components.width
        thickness = np.maximum(self._components.ink / length - 2, 1)  # without the two rows of the dilation
        is_thin = thickness <= np.maximum(MAX_THICKNESS, MAX_THICKNESS_SHARE * length)
        is_line = is_thin & (length >= min_share * self._mask.shape[1])
        if not is_line.any():
            return np.zeros_like(self._mask)
        mean_thickness = np.average(thickness[is_line], weights=length[is_line] ** 2)  # long ones are surely lines
        crossing = int(np.ceil(mean_thickness) + 3) // 2 * 2 + 1
        return self._components.mask(is_line) & ~morphology.open(self._mask, crossing, 1)
