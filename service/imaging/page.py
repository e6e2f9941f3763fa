"""Find a sheet of paper on a patterned table: the largest area without texture."""

import numpy as np
from numpy.typing import NDArray

from service.imaging import morphology
from service.imaging.components import label_components

MAX_PAPER_RANGE = 24
"""Gray levels between the lightest and the darkest of 5 x 5 pixels of paper."""

MIN_AREA = 0.06
"""Least area of a page's bounding box as a share of the image."""

MIN_SOLIDITY = 0.3
"""Least share of smooth pixels in a page's bounding box."""

MIN_SIDE = 20
"""Pixels per side. A smaller area is not a page with writing on it."""


def crop_page(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, int] | None:
    """Crop an image, uint8 (H, W), to the page: uint8 (h, w), with its top and left in pixels. None if there is none.

    What lies outside the page's edges takes its median gray.
    """
    smooth = morphology.dilate(gray, 5, 5) - morphology.erode(gray, 5, 5) < MAX_PAPER_RANGE
    if not smooth.any():
        return None
    components = label_components(smooth, smooth.astype(np.float32))
    main = int(components.ink.argmax())
    top, bottom = int(components.top[main]), int(components.bottom[main])
    left, right = int(components.left[main]), int(components.right[main])
    area = (bottom - top) * (right - left)
    if min(bottom - top, right - left) < MIN_SIDE or area < MIN_AREA * gray.size:
        return None
    if components.ink[main] < MIN_SOLIDITY * area:
        return None
    page = components.mask(components.only(main))[top:bottom, left:right]
    crop = gray[top:bottom, left:right]
    return np.where(_hull(page), crop, np.uint8(np.median(crop[page]))), top, left


def _hull(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill each row and each column between its first and last pixel, and keep what both have filled."""
    return _fill_rows(mask) & _fill_rows(mask.T).T


def _fill_rows(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    accumulate = np.logical_or.accumulate
    return np.asarray(accumulate(mask, axis=1) & accumulate(mask[:, ::-1], axis=1)[:, ::-1])
