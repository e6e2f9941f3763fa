"""An image that no rule can read has the right digit among its alternatives."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging.alternatives import find_alternatives
from service.imaging.lines import Lines
from service.imaging.normalize import Digit, find_digit, normalize_digit
from service.imaging.outlines import fill_strokes
from service.imaging.page import crop_page
from service.imaging.trim import trim_border
from tests.images import SEVEN, half_inverted

Gray = NDArray[np.uint8]
GRAY = np.asarray(SEVEN)
INK = 1 - GRAY / 255
EXPECTED = normalize_digit(GRAY)
TIGHT = GRAY[21:103, 34:86]


def on_page(paper: NDArray[np.float64], top: int = 60, left: int = 60) -> Gray:
    """Write the seven on paper, float64 (H, W)."""
    region = paper[top : top + 120, left : left + 120]
    region *= 1 - 0.9 * INK
    return np.clip(paper, 0, 255).astype(np.uint8)


def shadowed() -> Gray:
    y, x = np.mgrid[:240, :240]
    return on_page(np.where(x + y > 240, 230.0, 100.0))


def squared() -> Gray:
    paper = np.full((240, 240), 240.0)
    paper[10::30] = paper[:, 10::30] = 120
    return on_page(paper)


def boxed() -> Gray:
    paper = np.full((240, 240), 240.0)
    paper[40:200, 40:200] = 20
    paper[43:197, 43:197] = 240
    return on_page(paper)


def on_a_checkered_table() -> Gray:
    y, x = np.mgrid[:400, :400]
    table = np.where((x // 12 + y // 12) % 2, 180.0, 60.0)
    table[80:320, 80:320] = on_page(np.full((240, 240), 220.0))
    return table.astype(np.uint8)


def after_a_hash() -> Gray:
    page = np.full((240, 300), 240, np.uint8)
    page[60:180, 150:270] = GRAY
    for start in (100, 130):
        page[start : start + 6, 100:170] = page[85:150, start + 5 : start + 11] = 0
    return page


def impulses() -> Gray:
    small = np.asarray(SEVEN.resize((28, 28))).copy()
    rng = np.random.default_rng(0)
    hit = rng.random(small.shape) < 0.12
    small[hit] = rng.choice(np.array([0, 255], np.uint8), np.count_nonzero(hit))
    return small


IMAGES = {
    "tight crop": TIGHT,
    "tight crop, light on dark": 255 - TIGHT,
    "edge of a shadow": shadowed(),
    "squared paper": squared(),
    "printed box": boxed(),
    "page on a table": on_a_checkered_table(),
    "hash before it": after_a_hash(),
    "impulse noise": impulses(),
    "half inverted": np.asarray(half_inverted(SEVEN)),
}


def first(gray: Gray) -> Digit | None:
    try:
        return find_digit(gray)
    except ImageError:
        return None


def difference(image: NDArray[np.float32]) -> float:
    """Return the mean difference from the seven alone, up to a shift of one pixel."""
    shifted = [np.roll(image, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return float(min(np.abs(other - EXPECTED).mean() for other in shifted))


@pytest.mark.parametrize("name", IMAGES)
def test_the_digit_is_among_the_alternatives(name: str) -> None:
    """Find the seven, nearly as it is alone, in one of the alternatives."""
    alternatives = find_alternatives(IMAGES[name], first(IMAGES[name]))
    assert min(difference(alternative.image) for alternative in alternatives) < 0.06


@pytest.mark.parametrize("name", IMAGES)
def test_alternatives_are_model_inputs_inside_the_image(name: str) -> None:
    """Give float32 (28, 28) in [0, 1] and a box within the image, not more than 40 of them."""
    gray = IMAGES[name]
    alternatives = find_alternatives(gray, first(gray))
    assert len(alternatives) <= 40
    for alternative in alternatives:
        image, (left, top, width, height) = alternative.image, alternative.box
        assert image.shape == (28, 28)
        assert image.dtype == np.float32
        assert 0 <= image.min() <= image.max() <= 1
        assert 0 <= left <= left + width <= gray.shape[1]
        assert 0 <= top <= top + height <= gray.shape[0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (57, 3), (640, 320), (20, 2_000)])
@pytest.mark.parametrize("seed", range(3))
def test_any_image_has_alternatives_or_none(shape: tuple[int, int], seed: int) -> None:
    """Raise nothing for noise and for stripes of any shape."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, shape, np.uint8)
    stripes = np.where(np.arange(shape[1]) // 3 % 2, 255, 0).astype(np.uint8) * np.ones(shape, np.uint8)
    for gray in (noise, stripes):
        for alternative in find_alternatives(gray, first(gray)):
            assert np.isfinite(alternative.image).all()


def test_lines_are_removed_and_strokes_are_kept() -> None:
    """Remove both directions of a grid, a little askew, and keep nearly all of a seven that they cross."""
    ink = INK > 0.5
    mask = np.zeros((240, 240), bool)
    mask[60:180, 60:180] = ink
    with_lines = mask.copy()
    for line in range(20, 240, 40):
        with_lines[line : line + 2, :120] = with_lines[line + 1 : line + 3, 120:] = True
        with_lines[:, line : line + 2] = True
    cleaned = Lines(with_lines).remove(0.3)
    assert np.count_nonzero(cleaned & ~mask) < 0.1 * np.count_nonzero(with_lines & ~mask)
    assert np.count_nonzero(cleaned & mask) > 0.85 * np.count_nonzero(mask)


def test_a_thick_bar_is_not_a_line() -> None:
    """Keep a straight stroke that is as long as a line, but thick."""
    mask = np.zeros((100, 200), bool)
    mask[45:65, 20:180] = True
    assert np.array_equal(Lines(mask).remove(0.3), mask)


def test_page_is_cropped_from_a_patterned_table() -> None:
    """Crop to the smooth page within a few pixels of its edges."""
    page = crop_page(on_a_checkered_table())
    assert page is not None
    crop, top, left = page
    assert 78 <= top <= 84
    assert 78 <= left <= 84
    assert 230 <= min(crop.shape) <= max(crop.shape) <= 244


def test_a_pattern_without_a_page_is_not_cropped() -> None:
    """Return None if nothing in the image is smooth."""
    assert crop_page(np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8)) is None


def test_even_borders_are_trimmed() -> None:
    """Cut off stripes of different grays on adjacent sides, and a margin below them."""
    gray = np.full((60, 50), 255, np.uint8)
    gray[:5], gray[:, :4] = 90, 0
    gray[30:40, 20:30] = np.where(np.indices((10, 10)).sum(axis=0) % 2, 0, 255)
    trimmed, top, left = trim_border(gray)
    assert (trimmed.shape, top, left) == ((10, 10), 30, 20)


@pytest.mark.parametrize("level", [0, 255])
def test_nothing_is_left_of_an_even_image(level: int) -> None:
    """Return an empty array."""
    assert trim_border(np.full((9, 7), level, np.uint8))[0].size == 0


def test_hollow_strokes_are_filled_and_loops_are_not() -> None:
    """Fill the ring between two circles, and leave the inside of the inner one empty."""
    y, x = np.mgrid[:80, :80] - 39.5
    radius = np.hypot(x, y)
    outline = ((np.abs(radius - 38) < 1) | (np.abs(radius - 26) < 1)).astype(np.float32)
    filled = fill_strokes(outline)
    middle = len(filled) // 2
    assert filled[middle, 10] == filled[10, middle] == 1
    assert filled[middle, middle] == 0
