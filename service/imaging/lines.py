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


def remove_lines(mask: NDArray[np.bool_], min_share: float) -> NDArray[np.bool_]:
    """Remove horizontal and vertical lines, a little askew at most, from a mask, bool (H, W).

    min_share: length of the shortest line, as a share of the image's side. Strokes that cross a line keep the pixels
    of the crossing.
    """
    return _remove_horizontal(_remove_horizontal(mask, min_share).T, min_share).T


def _remove_horizontal(mask: NDArray[np.bool_], min_share: float) -> NDArray[np.bool_]:
    width = mask.shape[1]
    segment = max(MIN_SEGMENT, width // 8) // 2 * 2 + 1
    runs = morphology.open(morphology.dilate(mask, 3, 1), 1, segment)  # a line askew moves by one row in each run
    if not runs.any():
        return mask
    components = label_components(runs, runs.astype(np.float32))
    length = components.width
    thickness = np.maximum(components.ink / length - 2, 1)  # without the two rows of the dilation
    is_line = (length >= min_share * width) & (thickness <= np.maximum(MAX_THICKNESS, MAX_THICKNESS_SHARE * length))
    if not is_line.any():
        return mask
    mean_thickness = np.average(thickness[is_line], weights=length[is_line] ** 2)  # long ones are surely lines
    crossing = int(np.ceil(mean_thickness) + 3) // 2 * 2 + 1
    return mask & ~(components.mask(is_line) & ~morphology.open(mask, crossing, 1))
