"""Digits on pages, forms and photos to which something happened: uint8 (28, 28) in, uint8 (H, W) out."""

from functools import partial

import numpy as np

from export.data.mishaps import paper, pens
from export.data.mishaps.crops import Digit, Image8, to_bytes
from export.data.mishaps.paper import Gray
from export.data.mishaps.ranges import Ranges


def small_on_page(digit: Digit, rng: np.random.Generator, ranges: Ranges, share: tuple[float, float]) -> Image8:
    """Write a digit whose height is this share of the longer side of a large page."""
    side = int(rng.uniform(*ranges.page_side))
    ink = _ink(digit, round(side * rng.uniform(*share)), rng)
    shape = (side, round(side * rng.uniform(0.7, 0.8)))
    return to_bytes(paper.write_anywhere(paper.blank(*(shape if rng.random() < 0.7 else shape[::-1]), rng), ink, rng))


def printed_box(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Write a digit in one printed box, with some paper around it."""
    ink = draw_ink(digit, rng, ranges)
    return to_bytes(_boxes(ink, 1, rng, ranges))


def form_boxes(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Write a digit in one of several boxes in a row; the others are empty."""
    ink = draw_ink(digit, rng, ranges)
    return to_bytes(_boxes(ink, round(rng.uniform(*ranges.box_count)), rng, ranges))


def ruled(digit: Digit, rng: np.random.Generator, ranges: Ranges, squared: bool = False) -> Image8:
    """Write a digit on ruled or squared paper that lies a little askew."""
    ink = draw_ink(digit, rng, ranges)
    page = _page(ink, rng, ranges)
    gap, width = rng.uniform(*ranges.line_gap) * len(ink), round(rng.uniform(*ranges.line_width))
    contrast = rng.uniform(*ranges.line_contrast)
    for vertical in (False, True)[: 1 + squared]:
        page = paper.draw_lines(page, max(gap, 4 * width), width, contrast, vertical, rng)
    page = paper.turn(page, rng.uniform(*ranges.skew) * rng.choice([-1, 1]))
    return to_bytes(paper.write_anywhere(page, ink, rng))


def shadow(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Cast a shadow over a part of the page, its edge across the middle."""
    page = _written(digit, rng, ranges)
    return to_bytes(paper.cast_shadow(page, rng.uniform(*ranges.shadow), rng.uniform(*ranges.shadow_blur), rng))


def glare(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Photograph the page with the reflection of a lamp, on paper that is not white."""
    return to_bytes(paper.add_glare(0.75 * _written(digit, rng, ranges), rng.uniform(*ranges.glare), rng))


def patterned_table(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Photograph a page that lies on a patterned table."""
    page = _written(digit, rng, ranges)
    height, width = page.shape
    pattern = ranges.patterns[int(rng.integers(len(ranges.patterns)))]
    shape = (round(height * rng.uniform(1.2, 1.7)), round(width * rng.uniform(1.2, 1.7)))
    photo = paper.table(shape, pattern, rng.uniform(*ranges.pattern_size), rng)
    top, left = (int(rng.integers(1, outer - inner)) for outer, inner in zip(shape, page.shape, strict=True))
    photo[top : top + height, left : left + width] = page
    return to_bytes(paper.turn(photo, rng.uniform(*ranges.skew)))


def thin_pen(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Write with a line of one pixel."""
    ink = pens.thin(pens.enlarge(digit, int(rng.uniform(*ranges.digit_height))))
    return write_on_page(ink, rng, ranges)


def thick_pen(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Write with a marker as thick as the digit allows."""
    ink = pens.enlarge(digit, int(rng.uniform(*ranges.digit_height)))
    radius = max(1, round(rng.uniform(*ranges.thick_weight) * len(ink)))
    return write_on_page(pens.dilate(ink > 0.5, radius).astype(float), rng, ranges)


def turned(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Turn the digit to either side."""
    ink = draw_ink(digit, rng, ranges)
    return write_on_page(pens.rotate(ink, rng.uniform(*ranges.turn) * rng.choice([-1, 1])), rng, ranges)


def specks(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Scatter specks of dust over the page, up to a twentieth of the digit in size."""
    ink = draw_ink(digit, rng, ranges)
    page = paper.write_anywhere(_page(ink, rng, ranges), ink, rng)
    for _ in range(int(rng.uniform(*ranges.specks))):
        top, left = int(rng.integers(page.shape[0])), int(rng.integers(page.shape[1]))
        height, width = (max(1, round(rng.uniform(0.01, 0.05) * len(ink))) for _ in range(2))
        page[top : top + height, left : left + width] = rng.uniform(0, 150)
    return to_bytes(page)


def large_outline(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Write with hollow strokes: only their edges are drawn."""
    ink = draw_ink(digit, rng, ranges)
    return write_on_page(pens.outline(ink, round(rng.uniform(*ranges.outline_width))), rng, ranges)


def faint(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Write faintly, as an empty pen does, on textured paper."""
    ink = draw_ink(digit, rng, ranges)
    page = rng.uniform(150, 240) + rng.normal(0, 2, _page(ink, rng, ranges).shape)
    return to_bytes(paper.write_anywhere(page, ink * rng.uniform(*ranges.faint), rng))


def crossed_by_line(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Draw a thin straight line through the digit, from side to side of the image."""
    page = _written(digit, rng, ranges)
    height, width = page.shape
    start, end = rng.uniform(0.3, 0.7, 2) * height
    rows = np.linspace(start, end, width)[np.newaxis]
    line = np.abs(np.arange(height)[:, np.newaxis] - rows) <= rng.uniform(*ranges.line_width) / 2
    page[line] = rng.uniform(0, 120)
    return to_bytes(page)


def draw_ink(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> pens.Ink:
    """Draw the digit with a pen of random weight, float64 (height, w)."""
    return _ink(digit, int(rng.uniform(*ranges.digit_height)), rng)


def _ink(digit: Digit, height: int, rng: np.random.Generator) -> pens.Ink:
    """Draw the digit in this height, float64 (height, w)."""
    return pens.enlarge(digit, height, rng.uniform(0.3, 0.6))


def _page(ink: pens.Ink, rng: np.random.Generator, ranges: Ranges) -> Gray:
    """Return blank paper a few times as large as the digit."""
    height, width = (round(max(ink.shape) * rng.uniform(*ranges.page_scale)) for _ in range(2))
    return paper.blank(height, width, rng)


def _written(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Gray:
    """Write a digit near the middle of a page, float64 (H, W), 0 to 255."""
    ink = draw_ink(digit, rng, ranges)
    page = _page(ink, rng, ranges)
    top, left = (round((a - b) * rng.uniform(0.3, 0.7)) for a, b in zip(page.shape, ink.shape, strict=True))
    return paper.write(page, ink, top, left, rng.uniform(0, 80))


def write_on_page(ink: pens.Ink, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Write ink at a random place of a page."""
    return to_bytes(paper.write_anywhere(_page(ink, rng, ranges), ink, rng))


def _boxes(ink: pens.Ink, count: int, rng: np.random.Generator, ranges: Ranges) -> Gray:
    """Print `count` boxes in a row and write the digit in one of them."""
    side = round(max(ink.shape) * rng.uniform(*ranges.box_side))
    margin, width = round(side * rng.uniform(0.08, 0.5)), round(rng.uniform(*ranges.line_width))
    gap = rng.choice([-width, round(side * 0.2)])
    page = paper.blank(side + 2 * margin, count * (side + gap) - gap + 2 * margin, rng)
    contrast = rng.uniform(max(0.4, ranges.line_contrast[0]), 1)
    starts = [margin + index * (side + gap) for index in range(count)]
    for left in starts:
        page = paper.draw_frame(page, (margin, left, margin + side, left + side), width, contrast)
    free = (side - np.array(ink.shape)) / 2
    shift = rng.uniform(-0.6, 0.6, 2) * free + free
    left = starts[int(rng.integers(count))]
    return paper.write(page, ink, margin + int(shift[0]), left + int(shift[1]), rng.uniform(0, 80))


squared = partial(ruled, squared=True)
