"""Other ways to find the digit of an image whose first reading is doubtful. The network decides between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging import morphology
from service.imaging.components import label_components
from service.imaging.lines import remove_lines
from service.imaging.local_ink import LocalInk, local_inks
from service.imaging.normalize import Digit, find_digit, place
from service.imaging.outlines import fill_strokes
from service.imaging.page import crop_page
from service.imaging.segment import MAX_CANVAS_SIDE, MIN_CONTRAST, Ink, digit_components, prominence
from service.imaging.trim import trim_border

MAX_SIDE = 256
"""Pixels per side that alternatives are searched at. A larger image is reduced by an integer factor."""

MIN_LOCAL_SIDE = 41
"""Pixels per side. On a smaller image, a stroke is not smaller than its surroundings."""

NUM_COMPONENTS = 3
"""Components that are tried as the digit, besides those near them."""

MIN_COMPONENT_SIDE = 4
MIN_COMPONENT_INK = 0.03
"""Pixels, and share of the most prominent component. A smaller one is not tried."""

SMALL_WINDOWS = (1 / 20,)
"""Window of the local background of a small digit, as a share of the longer side."""

Gray = NDArray[np.uint8]


@dataclass(frozen=True)
class Alternative:
    """A digit that an image may show. is_minor: it is not the most prominent part of the image."""

    digit: Digit
    is_minor: bool = False


def find_alternatives(gray: Gray, first: Digit | None) -> list[Alternative]:
    """Find what the digit of an image, uint8 (H, W), may be other than the first reading, which may be missing."""
    reduced, factor = _reduce(gray)
    found = [alternative for search in SEARCHES for alternative in search(reduced)]
    if factor > 1:
        found = [Alternative(_enlarge_box(one.digit, factor), one.is_minor) for one in found]
        found += _small(gray) if first is None else ()
    return [*found, *(_redrawn(first) if first else ())]


def _whole_image(gray: Gray) -> Iterator[Alternative]:
    """Take the darkest or the lightest gray as the background: an image that was cut out has ink along its border."""
    yield from _against_extremes(gray, 0, 0)


def _trimmed(gray: Gray) -> Iterator[Alternative]:
    """Cut off even stripes along the border first."""
    part, top, left = trim_border(gray)
    if part.size and part.shape != gray.shape:
        yield from _against_extremes(part, top, left)


def _against_extremes(gray: Gray, top: int, left: int) -> Iterator[Alternative]:
    low, high = np.percentile(_sample(gray), [2, 98])
    if high - low >= MIN_CONTRAST:
        pixels = gray.astype(np.float32)
        for ink in (pixels - low, high - pixels):
            yield Alternative(place(Ink(np.maximum(ink, 0).astype(np.float32), top, left)))


def _without_impulses(gray: Gray) -> Iterator[Alternative]:
    """Remove impulse noise with a median filter."""
    yield from _first_reading(morphology.median(gray), 0, 0)


def _on_page(gray: Gray) -> Iterator[Alternative]:
    """Look on the page alone if it lies on a patterned table."""
    page = crop_page(gray) if max(gray.shape) > MAX_CANVAS_SIDE else None
    if page:
        yield from _first_reading(*page)


def _first_reading(gray: Gray, top: int, left: int) -> Iterator[Alternative]:
    try:
        digit = find_digit(gray)
    except ImageError:
        return
    x, y, width, height = digit.box
    yield Alternative(Digit(digit.image, (x + left, y + top, width, height)))


def _across_stripes(gray: Gray) -> Iterator[Alternative]:
    """Take the gray at both ends of each column, or row, as its background: stripes leave nothing, inverted or not."""
    for axis in (0, 1):
        depth = max(1, gray.shape[axis] // 14)
        first, last = np.split(gray, [depth], axis)[0], np.split(gray, [-depth], axis)[1]
        ends = np.median(np.concatenate([first, last], axis), axis, keepdims=True)
        ink = np.abs(gray - ends).astype(np.float32)
        if ink.max() < MIN_CONTRAST:
            continue
        if max(gray.shape) <= MAX_CANVAS_SIDE:
            yield Alternative(place(Ink(ink)))
        else:
            yield from _components(LocalInk(ink / 255), count=1)


def _on_local_background(gray: Gray) -> Iterator[Alternative]:
    """Compare each pixel with its surroundings: shadows and glare leave nothing. Try the ink without lines, too."""
    if max(gray.shape) < MIN_LOCAL_SIDE:
        return
    for ink in local_inks(gray):
        yield from _components(ink, NUM_COMPONENTS)
        yield from _components(ink.strong(), count=1)
        yield from _components(ink.equalized(), count=1)
        for min_share in (0.3, 0.6):
            without = remove_lines(ink.mask, min_share)
            if not np.array_equal(without, ink.mask):
                yield from _components(ink.keep(without), count=2)


def _small(gray: Gray) -> Iterator[Alternative]:
    """Find a digit that is too small to survive a reduction."""
    for ink in local_inks(gray, SMALL_WINDOWS):
        yield from _components(ink, NUM_COMPONENTS)


def _components(ink: LocalInk, count: int) -> Iterator[Alternative]:
    """Take the most prominent components as the digit, each with those near it."""
    if not ink.mask.any():
        return
    components = label_components(ink.mask, ink.pixels)
    weight = prominence(components)
    least = MIN_COMPONENT_INK * weight.max()
    for index in range(count):
        main = int(weight.argmax())
        side = max(components.height[main], components.width[main])
        if weight[main] <= 0 or weight[main] < least or side < MIN_COMPONENT_SIDE:
            return
        selected = digit_components(components, main)
        weight[selected] = 0
        digit = place(Ink(ink.within(components.mask(selected))))
        yield Alternative(digit, is_minor=index > 0)


def _redrawn(first: Digit) -> Iterator[Alternative]:
    """Draw the first reading with thicker, closed, thinner or filled strokes."""
    image = first.image
    thin = morphology.erode(image, 3, 3)
    inks = [morphology.dilate(image, 3, 3), morphology.close(image, 3, 3), fill_strokes(image)]
    for ink in [*inks, thin] if thin.max() > MIN_THINNED else inks:
        yield Alternative(Digit(place(Ink(ink)).image, first.box))


MIN_THINNED = 0.2
"""Ink that must be left of the thickest stroke after it is thinned."""

SEARCHES: tuple[Callable[[Gray], Iterator[Alternative]], ...] = (
    _whole_image,
    _trimmed,
    _without_impulses,
    _across_stripes,
    _on_local_background,
    _on_page,
)


def _sample(gray: Gray) -> Gray:
    """Return about 100 rows and columns at most."""
    return gray[:: max(1, gray.shape[0] // 100), :: max(1, gray.shape[1] // 100)]


def _reduce(gray: Gray) -> tuple[Gray, int]:
    """Reduce to at most MAX_SIDE pixels per side by averaging. Returns the image and the factor."""
    factor = -(-max(gray.shape) // MAX_SIDE)
    if factor == 1 or min(gray.shape) < factor:
        return gray, 1
    height, width = (side // factor for side in gray.shape)
    blocks = gray[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return blocks.mean(axis=(1, 3), dtype=np.float32).astype(np.uint8), factor


def _enlarge_box(digit: Digit, factor: int) -> Digit:
    left, top, width, height = (factor * side for side in digit.box)
    return Digit(digit.image, (left, top, width, height))
