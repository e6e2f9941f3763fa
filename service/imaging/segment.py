"""Segment the digit: subtract the background, then discard specks, page borders and texture."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging.background import Background, estimate_background
from service.imaging.components import Components, label_components
from service.imaging.enclosure import main_content
from service.imaging.selection import digit_components, has_neighbors, prominence

MIN_CONTRAST = 16
"""Gray levels (of 255) between background and ink. An image with less counts as blank."""

MAX_CANVAS_SIDE = 56
"""Pixels per side. An image up to this size is taken for a canvas that holds the digit and nothing else."""

MAX_CLEAN_NOISE = 2
"""Gray levels of background noise. Up to this, the image is a drawing or a scan, and faint ink is kept."""

MIN_DIGIT_SIZE = 0.03
"""Share of the image's longer side. A smaller component is not a digit."""

EXTREMA_SAMPLES = 8_192
"""Pixels of an image, at least, from which its extreme gray levels are taken."""

MIN_PAGE_SIDE = 28
"""Pixels per side. A smaller component is not a page with writing on it."""


@dataclass(frozen=True)
class Ink:
    """The ink of a digit in an image or in a part of it.

    pixels: float32 (h, w), 0 = not part of the digit. top, left: where the part begins in the image, in pixels.
    has_neighbors: something as large as the digit stands beside it, or a part of it does. is_ambiguous: the background
    is, so that the ink may be something else. is_enclosed: a circle or a box is drawn around it.
    """

    pixels: NDArray[np.float32]
    top: int = 0
    left: int = 0
    has_neighbors: bool = False
    is_ambiguous: bool = False
    is_enclosed: bool = False


def extract_digit(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Extract the ink of the digit from an image, uint8 (H, W), of any polarity.

    Returns float32 (h, w), 0 = not part of the digit: the whole image, or a page found in it.
    Raises ImageError if the image holds no ink.
    """
    return locate_digit(gray).pixels


def locate_digit(gray: NDArray[np.uint8]) -> Ink:
    """Extract the ink of the digit from an image, as `extract_digit` does, and say where it is."""
    ink, background = _subtract(gray)
    noise, is_ambiguous = background.noise, background.is_ambiguous
    if max(gray.shape) <= MAX_CANVAS_SIDE:
        return Ink(ink, is_ambiguous=is_ambiguous)
    mask = ink > _ink_threshold(ink, noise)
    if not mask.any():
        raise no_digit_found()
    components = label_components(mask, ink)
    main = _main_component(components)
    if max(components.height[main], components.width[main]) < MIN_DIGIT_SIZE * max(gray.shape):
        raise no_digit_found()
    if _is_page(components, main):
        page_ink = _ink_on_page(gray, _page_bounds(components, main), float(ink.max()))
        if page_ink is not None:
            return page_ink
    content = main_content(components, main)
    digit = components.mask(digit_components(components, content)) if len(components) > 1 else mask
    pixels = np.where(digit if noise > MAX_CLEAN_NOISE else digit | ~mask, ink, np.float32(0))
    return Ink(pixels, 0, 0, has_neighbors(components, content), is_ambiguous, content != main)


def subtract_background(gray: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Return the ink, float32 (H, W), 0 = background, and the background noise in gray levels.

    Ink is darker or lighter than the background, whichever differs more. Raises ImageError if the contrast is below
    MIN_CONTRAST.
    """
    ink, background = _subtract(gray)
    return ink, background.noise


def find_strokes(gray: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
    """Return the ink, as `subtract_background` does, and the mask of its strokes, bool (H, W). None if it has none."""
    try:
        ink, noise = subtract_background(gray)
    except ImageError:
        return None
    mask = ink > _ink_threshold(ink, noise)
    return (ink, mask) if mask.any() else None


def _subtract(gray: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Background]:
    background = estimate_background(gray)
    difference = gray - background.level
    lowest, highest = _robust_extrema(difference)
    if max(-lowest, highest) < MIN_CONTRAST:  # the few most extreme pixels may be a thin line
        lowest, highest = float(difference.min()), float(difference.max())
    is_dark = -lowest > highest
    ink = np.maximum(-difference if is_dark else difference, np.float32(0))
    if ink.max() < MIN_CONTRAST:
        raise no_digit_found()
    return ink, background


def _robust_extrema(difference: NDArray[np.float32]) -> tuple[float, float]:
    """Return minimum and maximum; on a large image without its few most extreme pixels."""
    if max(difference.shape) <= MAX_CANVAS_SIDE:
        return float(difference.min()), float(difference.max())
    sample = difference.ravel()[:: max(1, difference.size // EXTREMA_SAMPLES)]
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
    """Return the component with the most ink, weighted by its place."""
    return int(prominence(components).argmax()) if len(components) > 1 else 0


def _is_page(components: Components, main: int) -> bool:
    """Return whether a component may be a sheet of paper on a table: large, broad and nearly solid."""
    height, width = int(components.height[main]), int(components.width[main])
    large = height * width > 0.15 * components.shape[0] * components.shape[1]
    broad = min(height, width) > max(MIN_PAGE_SIDE, 0.25 * min(components.shape))
    return large and broad and components.area(main) > 0.7 * height * width


def _page_bounds(components: Components, main: int) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of a page component without its margin."""
    boxes = (components.top, components.bottom, components.left, components.right)
    top, bottom, left, right = (int(side[main]) for side in boxes)
    down, across = max(2, (bottom - top) // 25), max(2, (right - left) // 25)
    return top + down, bottom - down, left + across, right - across


def _ink_on_page(gray: NDArray[np.uint8], bounds: tuple[int, int, int, int], contrast: float) -> Ink | None:
    """Extract the digit on a page. Returns None if the component holds no strokes, and so is not a page."""
    top, bottom, left, right = bounds
    try:
        ink = locate_digit(gray[top:bottom, left:right])
    except ImageError:
        return None
    highest = ink.pixels.max()
    stroke_share = float(np.mean(ink.pixels > 0.3 * highest))
    is_page = highest > 0.25 * contrast and stroke_share < 0.35
    return replace(ink, top=ink.top + top, left=ink.left + left, is_ambiguous=False) if is_page else None


def no_digit_found() -> ImageError:
    """Return the error of an image that shows no ink."""
    return ImageError("no digit found. Send an image of one digit that stands out from its background.")
