"""Select components by place and size: the digit, the parts that belong to it, and border artifacts."""

import numpy as np
from numpy.typing import NDArray

from service.imaging.components import Components
from service.imaging.dashes import joined_pieces

MIN_NEIGHBOR_INK = 0.15
"""Share of the digit's ink. A component with less is not another digit: a 1 may stand beside an 8."""

MAX_NEIGHBOR_HEIGHT = 1.5
"""Heights of the digit. What is higher, at the border, is an artifact: a page's edge, a shadow."""

MAX_LARGE = 2
"""Components as large as a digit. More are a texture, or the dashes of a stroke, and none of them is a digit alone."""

MIN_LARGE_INK = 0.15
"""Share of the prominence of the most prominent component. One with less is not prominent."""

MIN_LARGE_HEIGHT = 0.75
"""Height of the tallest prominent component. A lower one is not as large as a digit beside it."""

MAX_UNDERLINE_HEIGHT = 0.22
"""Height of an underline in heights of the digit."""

MIN_UNDERLINE_OVERHANG = 0.03
"""How far an underline extends beyond the digit on either side, in heights of the digit. The base of a 2 may lie apart,
too, but it hardly extends beyond both sides."""


def prominence(components: Components) -> NDArray[np.float64]:
    """Return the ink of each component, float64 (K,). At the image border, where a digit seldom is, it weighs less."""
    touches_border = touched_borders(components) > 0
    weight = np.where(is_border_artifact(components), 0.02, np.where(touches_border, 0.3, 1.0))
    return np.asarray(components.ink * weight)


def digit_components(components: Components, main: int) -> NDArray[np.bool_]:
    """Select the components of the digit, bool (K,): the main one, and those near it or of the same dashed stroke.

    Specks, underlines and what is drawn around the digit do not belong to it.
    """
    down = np.maximum(components.top - components.bottom[main], components.top[main] - components.bottom)
    across = np.maximum(components.left - components.right[main], components.left[main] - components.right)
    near = np.maximum(down, across) <= 0.35 * max(components.height[main], components.width[main])
    selected = near & (components.ink >= 0.04 * components.ink[main]) & ~is_border_artifact(components)
    selected &= ~_is_underline(components, main) & ~components.surrounds(main)
    return np.asarray(selected | joined_pieces(components, main))


def large_components(components: Components) -> list[int]:
    """Return the prominent components that are about as tall as the tallest of them, or none if there are many."""
    weight = prominence(components)
    is_prominent = weight >= MIN_LARGE_INK * weight.max()
    tallest = components.height[is_prominent].max()
    large: list[int] = np.flatnonzero(is_prominent & (components.height >= MIN_LARGE_HEIGHT * tallest)).tolist()
    return large if len(large) <= MAX_LARGE else []


def _is_underline(components: Components, main: int) -> NDArray[np.bool_]:
    """Find flat components below the main one, bool (K,): with an underline, a 7 looks like a 2."""
    height = components.height[main]
    is_below = components.top >= components.bottom[main]
    is_flat = components.height <= MAX_UNDERLINE_HEIGHT * height
    overhang = np.minimum(components.left[main] - components.left, components.right - components.right[main])
    return np.asarray(is_below & is_flat & (overhang >= MIN_UNDERLINE_OVERHANG * height))


def has_neighbors(components: Components, main: int) -> bool:
    """Return whether a component of about the same height stands beside the main one, and not above or below it."""
    if len(components) == 1:
        return False
    shared_rows = np.minimum(components.bottom, components.bottom[main]) - np.maximum(
        components.top, components.top[main]
    )
    shared_columns = np.minimum(components.right, components.right[main]) - np.maximum(
        components.left, components.left[main]
    )
    is_tall = shared_rows >= 0.5 * components.height[main]
    is_beside = shared_columns < 0.5 * np.minimum(components.width, components.width[main])
    has_ink = components.ink >= MIN_NEIGHBOR_INK * components.ink[main]
    is_high = components.height <= MAX_NEIGHBOR_HEIGHT * components.height[main]
    return bool((is_tall & is_beside & has_ink & (is_high | ~is_border_artifact(components))).any())


def is_border_artifact(components: Components) -> NDArray[np.bool_]:
    """Find components along an image border or across its corner, bool (K,): a page's edge, a shadow, a table."""
    height, width = components.shape
    touched = touched_borders(components)
    long = (components.height > 0.5 * height) | (components.width > 0.5 * width)
    return (touched > 0) & (long | (touched > 1))


def touched_borders(components: Components) -> NDArray[np.int64]:
    """Count the image borders that each component touches, int64 (K,), 0 to 4."""
    height, width = components.shape
    touched = (
        components.top == 0,
        components.bottom == height,
        components.left == 0,
        components.right == width,
    )
    return np.asarray(np.sum(touched, axis=0))
