"""Any gray image of a digit becomes the same 28 x 28 input, in MNIST's own layout."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from export.data.dataset import Dataset
from service.errors import ImageError
from service.imaging.normalize import (
    CENTER,
    DIGIT_SIDE,
    MEAN,
    SIDE,
    STD,
    center,
    find_digit,
    normalize_digit,
    resampling_weights,
    resize_to_box,
    to_model_input,
)
from service.imaging.reduction import SEARCH_SIDE
from service.imaging.segment import MIN_CONTRAST
from tests.images import SEVEN

GRAY = np.asarray(SEVEN)


def place_on_page(top: int, left: int) -> NDArray[np.uint8]:
    """Place the seven on a white page."""
    page = np.full((400, 500), 255, np.uint8)
    page[top : top + GRAY.shape[0], left : left + GRAY.shape[1]] = GRAY
    return page


def test_model_input_is_standardized() -> None:
    """Map background to -MEAN / STD and full ink to (1 - MEAN) / STD, as float32 (1, 28, 28)."""
    image = to_model_input(GRAY)
    assert image.shape == (1, SIDE, SIDE)
    assert image.dtype == np.float32
    assert image.min() == pytest.approx(-MEAN / STD)
    assert image.max() == pytest.approx((1 - MEAN) / STD)


def test_polarity_does_not_matter() -> None:
    """Normalize dark ink on light and light ink on dark to the same image."""
    assert np.allclose(normalize_digit(GRAY), normalize_digit(255 - GRAY), atol=1e-6)


@pytest.mark.parametrize("background", [40, 127, 128, 200])
@pytest.mark.parametrize("contrast", [-35, 35])
def test_ink_is_found_on_a_background_of_any_gray(background: int, contrast: int) -> None:
    """Normalize ink that is only a little darker or lighter than a gray background."""
    ink = (255 - GRAY.astype(int)) / 255
    gray = (background + contrast * ink).round().astype(np.uint8)
    assert np.abs(normalize_digit(gray) - normalize_digit(GRAY)).mean() < 0.01


def test_position_on_the_page_does_not_matter() -> None:
    """Normalize a digit in a corner to the same image as one in the middle."""
    corner, middle = place_on_page(2, 3), place_on_page(140, 190)
    assert np.array_equal(normalize_digit(corner), normalize_digit(middle))


@pytest.mark.parametrize("side", [28, 56, 112, 224, 448])
def test_resolution_hardly_matters(side: int) -> None:
    """Normalize a drawing at any resolution to nearly the same image, up to a shift of one pixel."""
    resized, expected = (normalize_digit(np.asarray(SEVEN.resize((s, s), Image.Resampling.BOX))) for s in (side, 120))
    shifted = [np.roll(resized, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    assert min(np.abs(image - expected).mean() for image in shifted) < 0.03


@pytest.mark.parametrize("height", [1, 2, 19, 20, 21, 27, 28, 29, 300])
@pytest.mark.parametrize("width", [1, 2, 19, 20, 21, 27, 28, 29, 300])
def test_ink_of_any_shape_fits_and_is_centered(height: int, width: int) -> None:
    """Fit a bar of any proportions into 28 x 28: longer side 20 pixels, centered within half a pixel."""
    gray = np.zeros((height + 2, width + 2), np.uint8)
    gray[1:-1, 1:-1] = 255
    if min(gray.shape) == 3:
        gray = np.pad(gray, 2)  # most of the border must be background
    image = normalize_digit(gray)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(len(rows), len(columns)) == DIGIT_SIDE
    for line in (rows, columns):
        assert abs(line.mean() - CENTER) <= 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 28), (28, 1), (28, 28), (500, 300)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_uniform_image_is_rejected(shape: tuple[int, int], level: int) -> None:
    """Reject a blank image of any size and gray."""
    with pytest.raises(ImageError, match="no digit found"):
        to_model_input(np.full(shape, level, np.uint8))


def test_contrast_limit_is_inclusive() -> None:
    """Accept ink with a contrast of MIN_CONTRAST gray levels, and reject ink with one level less."""
    gray = np.full((28, 28), 200, np.uint8)
    gray[8:20, 13:15] = 200 - MIN_CONTRAST
    assert normalize_digit(gray).max() == 1
    gray[8:20, 13:15] = 200 - MIN_CONTRAST + 1
    with pytest.raises(ImageError, match="no digit found"):
        normalize_digit(gray)


@pytest.mark.parametrize(("size", "new_size"), [(1, 1), (1, 20), (20, 20), (19, 20), (21, 20), (400, 20), (7, 3)])
def test_resampling_keeps_brightness(size: int, new_size: int) -> None:
    """Make each output pixel a weighted mean of input pixels. Equal sizes change nothing."""
    weights = resampling_weights(size, new_size)
    assert weights.shape == (new_size, size)
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(axis=1), 1)
    if size == new_size:
        assert np.array_equal(weights, np.eye(size, dtype=np.float32))


def test_resampling_agrees_with_pillow() -> None:
    """Agree with Pillow's bilinear filter, which is the same antialiased triangle where it reduces."""
    image = np.random.default_rng(0).integers(0, 256, (61, 47)).astype(np.float32)
    ours = resampling_weights(61, 20) @ image @ resampling_weights(47, 15).T
    pillows = np.asarray(Image.fromarray(image).resize((15, 20), Image.Resampling.BILINEAR))
    assert np.allclose(ours, pillows, atol=1e-2)


@pytest.mark.parametrize(("size", "new_size"), [(1, 20), (7, 20), (10, 20), (19, 20)])
def test_enlarging_takes_the_mean_of_the_covered_area(size: int, new_size: int) -> None:
    """Agree with repeating each pixel `new_size` times and taking the mean of every `size` of them."""
    pixels = np.random.default_rng(0).random(size, np.float32)
    means = np.repeat(pixels, new_size).reshape(new_size, size).mean(axis=1)
    assert np.allclose(resampling_weights(size, new_size) @ pixels, means, atol=1e-6)


def test_mnist_images_pass_through_unchanged_up_to_rounding(mnist_test: Dataset) -> None:
    """Change no pixel of 98 % of the MNIST test images by more than a tenth."""
    change = [np.abs(normalize_digit(image) - image / 255).max() for image in mnist_test.images]
    assert np.quantile(change, 0.98) < 0.1


def test_thin_stroke_on_a_large_image_keeps_full_strength() -> None:
    """Set the maximum after the resize, because a hairline fades when it shrinks."""
    gray = np.full((512, 512), 255, np.uint8)
    gray[100:400, 255:257] = 0
    assert normalize_digit(gray).max() == 1


def test_center_of_mass_is_in_the_middle() -> None:
    """Place the center of mass within half a pixel of (14, 14), as MNIST does."""
    image = center(resize_to_box((255 - GRAY).astype(np.float32)))
    for axis in np.mgrid[:SIDE, :SIDE]:
        assert abs((image * axis).sum() / image.sum() - CENTER) <= 0.5


@pytest.mark.parametrize("side", [40, 90, 400])
def test_box_of_a_digit_on_a_large_page_is_in_pixels_of_the_page(side: int) -> None:
    """Give the box of a small digit exactly, and that of a large one, found on the reduced page, to a few pixels."""
    page = np.full((2 * SEARCH_SIDE, 3 * SEARCH_SIDE), 255, np.uint8)
    page[60 : 60 + side, 100 : 100 + side // 2] = 0
    digit = find_digit(page)
    assert digit.box == pytest.approx((100, 60, side // 2, side), abs=6)
    assert np.abs(digit.image - find_digit(page[:500, :500]).image).mean() < 0.1
