"""Remove printed lines from a mask: ruled and squared paper, boxes of forms. They are long, thin and straight."""

import numpy as np
from numpy.typing import NDArray

from service.imaging import morphology
from service.imaging.components import Components, label_components
from service.imaging.selection import touched_borders

MIN_SEGMENT = 9
"""Pixels. A shorter run is not evidence of a line."""

MAX_THICKNESS = 3
"""A line's mean thickness in pixels. The greater of this and MAX_THICKNESS_SHARE is allowed."""

MAX_THICKNESS_SHARE = 1 / 20
"""A line's mean thickness as a share of its length."""

MAX_BAR_THICKNESS, MAX_BAR_WIDTH = 0.12, 0.25
"""Mean thickness and width of an upright bar, as shares of the height."""

MIN_DIGIT_HEIGHT = 0.4
"""Height of a digit, as a share of the height."""

MIN_OVERHANG = 0.15
"""How far the side of a box extends beyond the digits, as a share of their height."""

MIN_CUT = 0.2
"""How far below the top of the digits the side of an open box begins, as a share of their height."""

MIN_STRIPE_FILL = 0.95
"""Share of its bounding box that a stripe along an edge fills."""


class Lines:
    """The printed lines of a mask: horizontal and vertical ones, a little askew at most."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        """Find what may be a line in a mask, bool (H, W)."""
        self._mask = mask
        self._horizontal, self._vertical = _Direction(mask), _Direction(mask.T)

    def remove(self, min_share: float) -> NDArray[np.bool_]:
        """Return the mask, bool (H, W), without its lines.

        min_share: length of the shortest line, as a share of the image's side. Strokes that cross a line keep the
        pixels of the crossing.
        """
        return self.remove_horizontal(min_share) & ~self._vertical.lines(min_share).T

    def remove_horizontal(self, min_share: float) -> NDArray[np.bool_]:
        """Return the mask, bool (H, W), without its horizontal lines, as `remove` does: a 1 is a vertical line."""
        return self._mask & ~self._horizontal.lines(min_share)


class _Direction:
    """The horizontal runs of a mask that may be lines."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._mask = mask
        segment = max(MIN_SEGMENT, mask.shape[1] // 8) // 2 * 2 + 1
        runs = morphology.open(morphology.dilate(mask, 3, 1), 1, segment)  # a line askew moves by one row in each run
        self._components = label_components(runs, (mask & runs).astype(np.float32)) if runs.any() else None

    def lines(self, min_share: float) -> NDArray[np.bool_]:
        """Return the pixels of lines without their crossings, bool (H, W)."""
        if self._components is None:
            return np.zeros_like(self._mask)
        length = self._components.width
        thickness = np.maximum(self._components.ink / length, 1)  # of both together if two lines are close
        is_thin = thickness <= np.maximum(MAX_THICKNESS, MAX_THICKNESS_SHARE * length)
        is_line = is_thin & (length >= min_share * self._mask.shape[1])
        if not is_line.any():
            return np.zeros_like(self._mask)
        mean_thickness = np.average(thickness[is_line], weights=length[is_line] ** 2)  # long ones are surely lines
        crossing = int(np.ceil(mean_thickness) + 3) // 2 * 2 + 1
        return self._components.mask(is_line) & ~morphology.open(self._mask, crossing, 1)


def remove_bars(mask: NDArray[np.bool_], min_count: int = 1) -> NDArray[np.bool_]:
    """Remove the sides of boxes, and stripes along the edges, from a mask, bool (H, W), without horizontal lines.

    A side is an upright bar that extends beyond the digits, at both ends, or at the lower one if it begins below their
    top. A 1 is such a bar, but about as high as the other digits. Fewer than `min_count` sides are kept, and so are
    bars without digits. A stripe is a rectangle from border to border.
    """
    if not mask.any():
        return mask
    components = label_components(mask, mask.astype(np.float32))
    is_stripe = _is_edge_stripe(components)
    is_side = _is_side(components, is_stripe)
    removed = is_stripe | is_side if np.count_nonzero(is_side) >= min_count else is_stripe
    return mask & ~components.mask(removed) if removed.any() else mask


def _is_edge_stripe(components: Components) -> NDArray[np.bool_]:
    """Find rectangles that touch three borders, bool (K,): a 1 in a tight crop is round, or leans a little."""
    area = components.height * components.width
    return np.asarray((touched_borders(components) > 2) & (components.ink >= MIN_STRIPE_FILL * area))


def _is_side(components: Components, is_stripe: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find upright bars that extend beyond the digits, bool (K,)."""
    height = components.height
    is_thin = components.ink <= MAX_BAR_THICKNESS * height * height
    is_bar = is_thin & (components.width <= MAX_BAR_WIDTH * height)
    is_digit = ~is_bar & ~is_stripe & (height >= MIN_DIGIT_HEIGHT * height.max())
    if not is_digit.any():
        return np.zeros(len(components), bool)
    top, bottom = np.median(components.top[is_digit]), np.median(components.bottom[is_digit])
    digit_height = bottom - top
    is_below = components.bottom - bottom > MIN_OVERHANG * digit_height
    is_above = top - components.top > MIN_OVERHANG * digit_height
    is_open = components.top - top > MIN_CUT * digit_height
    return np.asarray(is_bar & is_below & (is_above | is_open))
