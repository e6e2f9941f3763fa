"""Segment the digit: subtract the background, then discard specks, page borders and texture."""

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging.background import estimate_background
from service.imaging.components import Components, label_components

MIN_CONTRAST = 16
"""Gray levels (of 255) between background and ink. An image with less counts as blank."""

MAX_CANVAS_SIDE = 56
"""Pixels per side. An image up to this size is taken for a canvas that holds the digit and nothing else."""

MAX_CLEAN_NOISE = 2
"""Gray levels of background noise. Up to this, the image is a drawing or a scan, and faint ink is kept."""

MIN_DIGIT_SIZE = 0.03
"""Share of the image's longer side. A smaller component is not a digit."""

MIN_PAGE_SIDE = 28
"""Pixels per side. A smaller component is not a page with writing on it."""


def extract_digit(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Extract the ink of the digit from an image, uint8 (H, W), of any polarity.

    Returns float32 (h, w), 0 = not part of the digit: the whole image, or a page found in it.
    Raises ImageError if the image holds no ink.
    """
    ink, noise = subtract_background(gray)
    if max(gray.shape) <= MAX_CANVAS_SIDE:
        return ink
    mask = ink > _ink_threshold(ink, noise)
    if not mask.any():
        raise _no_digit_found()
    components = label_components(mask, ink)
    main = _main_component(components)
    if max(components.height[main], components.width[main]) < MIN_DIGIT_SIZE * max(gray.shape):
        raise _no_digit_found()
    if _is_page(components, main):
        page_ink = _ink_on_page(_crop_page(gray, components, main), float(ink.max()))
        if page_ink is not None:
            return page_ink
    digit = components.mask(_digit_components(components, main))
    return np.where(digit if noise > MAX_CLEAN_NOISE else digit | ~mask, ink, np.float32(0))


def subtract_background(gray: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Return the ink, float32 (H, W), 0 = background, and the background noise in gray levels.

    Ink is darker or lighter than the background, whichever differs more. Raises ImageError if the contrast is below
    MIN_CONTRAST.
    """
    background = estimate_background(gray)
    difference = gray - background.level
    lowest, highest = _robust_extrema(difference)
    is_dark = -lowest > highest
    ink = np.maximum(-difference if is_dark else difference, np.float32(0))
    if ink.max() < MIN_CONTRAST:
        raise _no_digit_found()
    return ink, background.noise


def _robust_extrema(difference: NDArray[np.float32]) -> tuple[float, float]:
    """Return minimum and maximum; on a large image without its few most extreme pixels."""
    if max(difference.shape) <= MAX_CANVAS_SIDE:
        return float(difference.min()), float(difference.max())
    sample = difference.ravel()[:: max(1, difference.size // 16_384)]
    rank = max(1, sample.size // 333)
    ordered = np.partition(sample, (rank - 1, sample.size - rank))
    return float(ordered[rank - 1]), float(ordered[-rank])


def _ink_threshold(ink: NDArray[np.float32], noise: float) -> float:
    """Return the least ink of a stroke: anything visible on a clean background, what stands out on a noisy one."""
    if noise <= MAX_CLEAN_NOISE:
        return max(0.1 * float(ink.max()), 4 * noise)
    strong = ink[ink > max(4 * noise, 0.25 * float(ink.max()))]
    return max(0.3 * float(np.median(strong)) if strong.size else 0.0, 4 * noise)


def _main_component(components: Components) -> int:
    """Return the component with the most ink. Components at the image border are seldom the digit and weigh less."""
    touches_border = _touched_borders(components) > 0
    weight = np.where(_is_border_artifact(components), 0.02, np.where(touches_border, 0.3, 1.0))
    return int((components.ink * weight).argmax())


def _digit_components(components: Components, main: int) -> NDArray[np.bool_]:
    """Select the components of the digit, bool (K,): the main one, and those near it that are not specks."""
    down = np.maximum(components.top - components.bottom[main], components.top[main] - components.bottom)
    across = np.maximum(components.left - components.right[main], components.left[main] - components.right)
    near = np.maximum(down, across) <= 0.35 * max(components.height[main], components.width[main])
    selected = near & (components.ink >= 0.04 * components.ink[main]) & ~_is_border_artifact(components)
    selected[main] = True
    return np.asarray(selected)


def _is_border_artifact(components: Components) -> NDArray[np.bool_]:
    """Find components along an image border or across its corner, bool (K,): a page's edge, a shadow, a table."""
    height, width = components.shape
    touched = _touched_borders(components)
    long = (components.height > 0.5 * height) | (components.width > 0.5 * width)
    return (touched > 0) & (long | (touched > 1))


def _touched_borders(components: Components) -> NDArray[np.int64]:
    """Count the image borders that each component touches, int64 (K,), 0 to 4."""
    height, width = components.shape
    touched = (
        components.top == 0,
        components.bottom == height,
        components.left == 0,
        components.right == width,
    )
    return np.asarray(np.sum(touched, axis=0))


def _is_page(components: Components, main: int) -> bool:
    """Return whether a component may be a sheet of paper on a table: large, broad and nearly solid."""
    height, width = int(components.height[main]), int(components.width[main])
    large = height * width > 0.15 * components.shape[0] * components.shape[1]
    broad = min(height, width) > max(MIN_PAGE_SIDE, 0.25 * min(components.shape))
    return large and broad and components.area(main) > 0.7 * height * width


def _crop_page(gray: NDArray[np.uint8], components: Components, main: int) -> NDArray[np.uint8]:
    """Crop the image, uint8 (H, W), to a page component without its margin, uint8 (h, w)."""
    boxes = (components.top, components.bottom, components.left, components.right)
    top, bottom, left, right = (int(side[main]) for side in boxes)
    down, across = max(2, (bottom - top) // 25), max(2, (right - left) // 25)
    return gray[top + down : bottom - down, left + across : right - across]


def _ink_on_page(page: NDArray[np.uint8], contrast: float) -> NDArray[np.float32] | None:
    """Extract the digit on a page. Returns None if the component holds no strokes, and so is not a page."""
    try:
        ink = extract_digit(page)
    except ImageError:
        return None
    stroke_share = float(np.mean(ink > 0.3 * ink.max()))
    return ink if ink.max() > 0.25 * contrast and stroke_share < 0.35 else None


def _no_digit_found() -> ImageError:
    return ImageError("no digit found. Send an image of one digit that stands out from its background.")
