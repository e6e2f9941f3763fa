"""Other ways to find the digit of an image whose first reading is doubtful. The network decides between them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging import morphology
from service.imaging.components import label_components
from service.imaging.enclosure import possible_digits
from service.imaging.lines import Lines
from service.imaging.local_ink import LocalInk, local_inks
from service.imaging.normalize import SIDE, Digit, find_digit, place
from service.imaging.outlines import redraw
from service.imaging.page import crop_page
from service.imaging.prominent import prominent_digits
from service.imaging.reduction import reduce_gray
from service.imaging.segment import MAX_CANVAS_SIDE, MIN_CONTRAST, Ink, find_strokes
from service.imaging.selection import large_components
from service.imaging.trim import trim_border

MIN_LOCAL_SIDE = 41
"""Pixels per side. On a smaller image, a stroke is not smaller than its surroundings."""

MAX_DIGIT_ELONGATION = 12
"""Longer sides of an image in shorter ones. No digit fills a longer strip."""

MAX_CHANGE = 0.01
"""Share of the pixels of strokes. Two masks that differ by less are the same."""

LINE_SHARES = (0.3, 0.6)
"""Length of the shortest printed line that is removed, as a share of the image's side."""

MIN_DIFFERENCE = 0.02
"""Mean difference of two 28 x 28 images in [0, 1]. Less is the same alternative."""

Gray = NDArray[np.uint8]


def find_alternatives(gray: Gray, first: Digit | None) -> list[Digit]:
    """Find what the digit of an image, uint8 (H, W), may be other than the first reading, which may be missing.

    Alternatives that hardly differ from the first reading or from each other are left out, and so are those with the
    circle or the box around the first reading.
    """
    if max(gray.shape) > MAX_DIGIT_ELONGATION * min(gray.shape):
        return []
    reduced, factor = reduce_gray(gray)
    found = [digit.scale_box(factor) for search in SEARCHES for digit in search(reduced)]
    if first and first.is_enclosed:  # with its circle, a digit looks like a 0
        found = [digit for digit in found if not digit.surrounds(first)]
    if first:
        found += [Digit(place(Ink(ink)).image, first.box) for ink in redraw(first.image)]
    return _distinct(found, first)


def find_digit_or_none(gray: Gray) -> Digit | None:
    """Find the digit as the first reading does. None if the image holds none."""
    try:
        return find_digit(gray)
    except ImageError:
        return None


def _distinct(digits: Sequence[Digit], first: Digit | None) -> list[Digit]:
    kept = [first] if first else []
    for digit in digits:
        images = np.array([other.image for other in kept]).reshape(len(kept), SIDE * SIDE)
        difference = np.abs(images - digit.image.ravel()).mean(axis=1)
        if not kept or difference.min() > MIN_DIFFERENCE:
            kept.append(digit)
    return kept[1:] if first else kept


def _whole_image(gray: Gray) -> Iterator[Digit]:
    """Take the darkest or the lightest gray as the background: an image that was cut out has ink along its border."""
    yield from _against_extremes(gray, 0, 0)


def _trimmed(gray: Gray) -> Iterator[Digit]:
    """Cut off even stripes along the border first."""
    part, top, left = trim_border(gray)
    if part.size and part.shape != gray.shape:
        yield from _against_extremes(part, top, left)


def _against_extremes(gray: Gray, top: int, left: int) -> Iterator[Digit]:
    low, high = np.percentile(_sample(gray), [2, 98])
    if high - low >= MIN_CONTRAST:
        pixels = gray.astype(np.float32)
        for ink in (pixels - low, high - pixels):
            yield place(Ink(np.maximum(ink, 0).astype(np.float32), top, left))


def _without_impulses(gray: Gray) -> Iterator[Digit]:
    """Remove impulse noise with a median filter."""
    yield from _first_reading(morphology.median(gray), 0, 0)


def _on_page(gray: Gray) -> Iterator[Digit]:
    """Look on the page alone if it lies on a patterned table."""
    page = crop_page(gray) if max(gray.shape) > MAX_CANVAS_SIDE else None
    if page:
        yield from _first_reading(*page)


def _alone(gray: Gray) -> Iterator[Digit]:
    """Take each large component, and its content, without those near it: a sign does not belong to a digit."""
    strokes = find_strokes(gray) if max(gray.shape) > MAX_CANVAS_SIDE else None
    if strokes is None:
        return
    ink, mask = strokes
    components = label_components(mask, ink)
    if len(components) == 1:
        return
    for index in set().union(*(possible_digits(components, large) for large in large_components(components))):
        yield place(Ink(np.where(components.mask(components.only(index)), ink, np.float32(0))))


def _first_reading(gray: Gray, top: int, left: int) -> Iterator[Digit]:
    digit = find_digit_or_none(gray)
    if digit:
        x, y, width, height = digit.box
        yield Digit(digit.image, (x + left, y + top, width, height))


def _across_stripes(gray: Gray) -> Iterator[Digit]:
    """Take the gray at both ends of each column, or row, as its background: stripes leave nothing, inverted or not."""
    for axis in (0, 1):
        depth = max(1, gray.shape[axis] // 14)
        first, last = np.split(gray, [depth], axis)[0], np.split(gray, [-depth], axis)[1]
        ends = np.median(np.concatenate([first, last], axis), axis, keepdims=True)
        ink = np.abs(gray - ends).astype(np.float32)
        if ink.max() < MIN_CONTRAST:
            continue
        if max(gray.shape) <= MAX_CANVAS_SIDE:
            yield place(Ink(ink))
        else:
            yield from prominent_digits(LocalInk(ink / 255))


def _on_local_background(gray: Gray) -> Iterator[Digit]:
    """Compare each pixel with its surroundings: shadows and glare leave nothing. Try the ink without lines, too."""
    if max(gray.shape) < MIN_LOCAL_SIDE:
        return
    previous = np.zeros(gray.shape, bool)
    for ink in local_inks(gray):
        if np.count_nonzero(ink.mask ^ previous) <= MAX_CHANGE * np.count_nonzero(ink.mask):
            continue  # a larger window finds the same strokes
        previous = ink.mask
        yield from prominent_digits(ink)
        yield from prominent_digits(ink.strong())
        lines = Lines(ink.mask)
        for min_share in LINE_SHARES:
            without = lines.remove(min_share)
            if not np.array_equal(without, ink.mask):
                yield from prominent_digits(ink.keep(without))


SEARCHES: tuple[Callable[[Gray], Iterator[Digit]], ...] = (
    _whole_image,
    _trimmed,
    _without_impulses,
    _across_stripes,
    _on_local_background,
    _on_page,
    _alone,
)


def _sample(gray: Gray) -> Gray:
    """Return about 100 rows and columns at most."""
    return gray[:: max(1, gray.shape[0] // 100), :: max(1, gray.shape[1] // 100)]
