"""Remove the frames of forms from a mask: boxes and combs that are drawn around digits."""

import numpy as np
from numpy.typing import NDArray

from service.imaging.components import Components, label_components
from service.imaging.enclosure import MIN_CONTENT_HEIGHT
from service.imaging.lines import Lines

MIN_FRAME_SIDE = 12
"""Pixels. A smaller component frames no digit that can be read."""

MAX_FRAMES = 48
"""Components that are examined, the largest first, which bounds the time of a hostile image."""

BAND_SHARE = 0.06
"""Width of the band along each side in which a frame has its ink, as a share of the frame's shorter side."""

MIN_SIDE_INK = 0.9
"""Share of a side along which the frame has ink."""

MIN_LINE_SHARE = 0.15
"""Length of a straight line inside a frame, between the fields of a comb, as a share of the frame's side."""

MAX_OTHER_INK = 0.1
"""Share of a frame's pixels that are neither in the bands nor straight lines: a digit that touches it has more."""


def remove_frames(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Remove frames from a mask, bool (H, W): straight ink along all four sides of its box, and a digit inside."""
    if not mask.any():
        return mask
    components = label_components(mask, mask.astype(np.float32))
    candidates = _candidates(components)
    is_frame = np.zeros(len(components), bool)
    is_frame[[index for index in candidates if _has_content(components, index) and _is_frame(components, index)]] = True
    return mask & ~components.mask(is_frame) if is_frame.any() else mask


def _candidates(components: Components) -> list[int]:
    """Return the components that are large enough for a frame, the largest first."""
    shorter = np.minimum(components.height, components.width)
    large = np.flatnonzero(shorter >= MIN_FRAME_SIDE)
    return [int(index) for index in large[(-shorter[large]).argsort(kind="stable")][:MAX_FRAMES]]


def _has_content(components: Components, index: int) -> bool:
    """Return whether another component, as high as a digit, lies inside the box of a component."""
    is_high = components.height >= MIN_CONTENT_HEIGHT * components.height[index]
    return bool((components.is_within(index) & is_high).any())


def _is_frame(components: Components, index: int) -> bool:
    """Return whether a component has ink along all sides of its box, and elsewhere only straight lines."""
    rows = slice(int(components.top[index]), int(components.bottom[index]))
    columns = slice(int(components.left[index]), int(components.right[index]))
    pixels = components.mask(components.only(index))[rows, columns]
    band = max(2, round(BAND_SHARE * min(pixels.shape)))
    sides = (pixels[:band].any(0), pixels[-band:].any(0), pixels[:, :band].any(1), pixels[:, -band:].any(1))
    if min(side.mean() for side in sides) < MIN_SIDE_INK:
        return False
    inner = Lines(pixels).remove(MIN_LINE_SHARE)[band:-band, band:-band]
    return bool(np.count_nonzero(inner) <= MAX_OTHER_INK * np.count_nonzero(pixels))
