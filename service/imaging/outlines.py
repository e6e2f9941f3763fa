"""Redraw strokes that are too thin, or hollow because only their edges are drawn."""

import numpy as np
from numpy.typing import NDArray

from service.imaging import morphology
from service.imaging.components import label_components

SIDE = 84
"""Pixels of the longer side at which strokes are filled: three times the model's input."""


def redraw(image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Draw a digit, float32 (28, 28), with thicker, closed and filled strokes: each float32 (h, w)."""
    return [morphology.dilate(image, 3, 3), morphology.close(image, 3, 3), fill_strokes(image)]


def fill_strokes(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what an odd number of lines encloses: float32 (H, W), cropped to its ink, to float32 (h, w), 0 or 1.

    From the left border on, each line changes between outside and inside. A region counts as inside if most of its
    pixels have crossed an odd number of lines: where a line only touches a row, the others outvote it.
    """
    lines = np.pad(_resize_mask(ink > 0.3 * ink.max()), 2)
    lines = morphology.dilate(lines, 3, 3)  # closes the gaps between diagonal pixels
    starts = lines.copy()
    starts[:, 1:] &= ~lines[:, :-1]
    is_odd = np.cumsum(starts, axis=1) % 2
    regions = label_components(~lines, is_odd.astype(np.float32))
    start, end, labels = regions.runs
    area = np.bincount(labels, end - start)
    return (lines | regions.mask(regions.ink > 0.5 * area)).astype(np.float32)


def _resize_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Enlarge or reduce by an integer factor to about SIDE pixels. A reduced pixel is set if any of its pixels is."""
    height, width = mask.shape
    factor = round(SIDE / max(height, width))
    if factor > 1:
        return mask.repeat(factor, axis=0).repeat(factor, axis=1)
    step = -(-max(height, width) // (2 * SIDE))
    padded = np.pad(mask, ((0, -height % step), (0, -width % step)))
    return np.asarray(padded.reshape(len(padded) // step, step, -1, step).any(axis=(1, 3)))
