"""The digit is extracted from backgrounds of any kind; specks, page borders and texture are discarded."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from service.errors import ImageError
from service.imaging.normalize import normalize_digit
from service.imaging.segment import MAX_CANVAS_SIDE, extract_digit, subtract_background
from tests.images import SEVEN, encode

Gray = NDArray[np.uint8]
INK = 1 - np.asarray(SEVEN) / 255  # (120, 120), 1 = ink
EXPECTED = normalize_digit(np.asarray(SEVEN))

Y, X = np.mgrid[-1:1:240j, -1:1:240j]
TEXTURE = np.random.default_rng(0).normal(0, 4, (240, 240))
BACKGROUNDS = {
    "even": np.full((240, 240), 220.0),
    "shaded from side to side": 170 + 50 * X,
    "shaded from corner to corner": 150 + 40 * X - 30 * Y,
    "darker at its corners": 220 - 40 * (X * X + Y * Y),
    "textured": 180 + TEXTURE,
    "shaded and textured": 160 + 35 * X + 20 * Y * Y + TEXTURE,
}


def write_seven(background: NDArray[np.float64], level: float) -> Gray:
    """Write the seven on a background, in ink of this gray level."""
    gray = background.copy()
    region = gray[60:180, 60:180]
    region += (level - region) * INK
    return np.clip(gray, 0, 255).astype(np.uint8)


def difference(gray: Gray) -> float:
    """Return the mean difference from the seven alone after normalization, up to a shift of one pixel."""
    image = normalize_digit(gray)
    shifted = [np.roll(image, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return float(min(np.abs(other - EXPECTED).mean() for other in shifted))


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_background_leaves_no_trace(name: str) -> None:
    """Extract dark ink from a background of any shading and texture."""
    assert difference(write_seven(BACKGROUNDS[name], 30)) < 0.04


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_light_ink_on_a_dark_background_is_extracted(name: str) -> None:
    """Extract light ink from a dark background of any shading and texture."""
    assert difference(write_seven(BACKGROUNDS[name] - 110, 255)) < 0.04


def test_weak_ink_is_scaled_to_full_strength() -> None:
    """Extract ink that is only a little darker than a textured background, and scale it to 1."""
    gray = write_seven(BACKGROUNDS["shaded and textured"], 100)
    assert normalize_digit(gray).max() == 1
    assert difference(gray) < 0.06


def test_specks_are_discarded() -> None:
    """Discard dust anywhere on the page, and a blot far from the digit."""
    gray = write_seven(BACKGROUNDS["even"], 30)
    for top, left in ((10, 10), (20, 200), (200, 15), (90, 30), (225, 225)):
        gray[top : top + 3, left : left + 3] = 0
    gray[8:20, 100:112] = 60
    assert difference(gray) < 0.04


@pytest.mark.parametrize("quarter_turns", range(4))
def test_dark_strip_along_the_border_is_discarded(quarter_turns: int) -> None:
    """Discard a strip of dark table along any side of the image."""
    gray = write_seven(BACKGROUNDS["shaded from corner to corner"], 20)
    np.rot90(gray, quarter_turns)[:, -9:] = 35  # a view, so this changes `gray`
    assert difference(gray) < 0.04


def test_border_strip_close_to_the_digit_is_discarded() -> None:
    """Discard a strip along the border even if it is as close to the digit as one of its strokes would be."""
    gray = np.full((200, 200), 255, np.uint8)
    gray[:, 190:] = 0
    gray[60:140, 165:175] = 0
    ink = extract_digit(gray)
    assert (ink[60:140, 165:175] == 255).all()
    assert not ink[:, 190:].any()


def test_digit_on_a_page_on_a_table_is_extracted() -> None:
    """Extract the digit from a page, although the page is the largest component of the image."""
    table = np.full((400, 420), 40, np.uint8)
    table[60:300, 90:330] = write_seven(BACKGROUNDS["even"], 60)
    assert difference(table) < 0.04


def test_thick_bar_is_not_a_page() -> None:
    """Keep a bar that is as solid as a page but has nothing written on it."""
    gray = np.full((200, 200), 255, np.uint8)
    gray[20:180, 60:140] = 0
    expected = np.where(gray == 0, 255, 0)
    assert np.array_equal(extract_digit(gray), expected)


def test_separate_strokes_of_one_digit_are_kept() -> None:
    """Keep the top stroke of a five that does not touch the rest."""
    gray = np.full((200, 200), 255, np.uint8)
    gray[40:48, 80:130] = 0
    gray[56:150, 76:84] = 0
    ink = extract_digit(gray)
    assert ink[44, 100] == ink[100, 80] == 255


def test_small_canvas_keeps_everything() -> None:
    """Discard nothing from an image of at most MAX_CANVAS_SIDE pixels per side."""
    gray = np.zeros((MAX_CANVAS_SIDE, MAX_CANVAS_SIDE), np.uint8)
    gray[20:40, 25:30] = 255
    gray[4, 4] = 30
    assert np.array_equal(extract_digit(gray), gray)


def test_faint_edges_of_a_stroke_are_kept_on_a_clean_background() -> None:
    """Keep the antialiased edge of a stroke, below the threshold of a component."""
    ink = extract_digit(np.asarray(SEVEN.filter(ImageFilter.GaussianBlur(2))))
    assert ((ink > 0) & (ink < 25)).any()


@pytest.mark.parametrize("seed", range(5))
def test_texture_without_ink_is_rejected(seed: int) -> None:
    """Reject Gaussian noise of any strength."""
    rng = np.random.default_rng(seed)
    noise = np.clip(rng.normal(128, rng.uniform(1, 20), (200, 200)), 0, 255).astype(np.uint8)
    with pytest.raises(ImageError, match="no digit found"):
        extract_digit(noise)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_background_without_ink_is_rejected(name: str) -> None:
    """Reject a photo of an empty page, even, shaded or textured."""
    with pytest.raises(ImageError, match="no digit found"):
        extract_digit(BACKGROUNDS[name].astype(np.uint8))


@pytest.mark.parametrize("seed", range(20))
def test_random_rectangles_are_normalized_or_rejected(seed: int) -> None:
    """Normalize or reject images of random rectangles, without any other exception and never to a blank image."""
    rng = np.random.default_rng(seed)
    gray = np.full(rng.integers(1, 300, 2), rng.integers(256), np.uint8)
    for _ in range(rng.integers(0, 12)):
        top, left, height, width = (int(rng.integers(0, 150)) for _ in range(4))
        gray[top : top + height, left : left + width] = rng.integers(256)
    try:
        image = normalize_digit(gray)
    except ImageError:
        return
    assert np.isfinite(image).all()
    assert image.max() == 1


def test_jpeg_artifacts_hardly_change_the_digit() -> None:
    """Extract nearly the same digit from a JPEG of quality 50, which adds noise around the strokes."""
    photo = Image.fromarray(write_seven(BACKGROUNDS["shaded from side to side"], 30))
    with Image.open(BytesIO(encode(photo, "JPEG", quality=50))) as compressed:
        assert difference(np.asarray(compressed)) < 0.05


def test_ink_is_zero_where_the_background_is() -> None:
    """Subtract the background: exactly 0 on an even one, and its noise is 0."""
    ink, noise = subtract_background(write_seven(BACKGROUNDS["even"], 20))
    assert noise == 0
    assert ink.max() == 200
    assert not ink[:60].any()


def draw_bar(left: int, right: int) -> Gray:
    """Write the seven on paper, and below it a bar of 8 pixels with a gap of 8."""
    gray = write_seven(BACKGROUNDS["even"], 30)
    rows, columns = np.nonzero(gray < 128)
    gray[rows.max() + 8 : rows.max() + 16, columns.min() + left : columns.max() + right] = 30
    return gray


def test_underline_is_no_part_of_the_digit() -> None:
    """Discard a bar that extends beyond both sides of the digit."""
    assert difference(draw_bar(-12, 20)) < 0.04


@pytest.mark.parametrize(("left", "right"), [(0, 20), (-12, 0), (8, -8)])
def test_base_of_a_digit_is_kept(left: int, right: int) -> None:
    """Keep a bar that does not: the base of a 2 may lie apart."""
    gray = draw_bar(left, right)
    assert difference(gray) > 0.04
    rows = np.flatnonzero(extract_digit(gray).any(axis=1))
    assert rows[-1] == np.flatnonzero((gray < 128).any(axis=1))[-1]
