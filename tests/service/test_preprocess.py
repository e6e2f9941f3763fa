"""Any grey picture of a digit becomes the same canvas: MNIST's own."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from export.data import Digits
from service.errors import ImageError
from service.ink import MIN_CONTRAST
from service.preprocess import (
    CENTRE,
    DIGIT_SIDE,
    MEAN,
    SIDE,
    STD,
    centre,
    fit,
    preprocess,
    resampling,
    to_canvas,
)
from tests.pictures import SEVEN

GREY = np.asarray(SEVEN)


def on_page(height: int, width: int, top: int, left: int) -> NDArray[np.uint8]:
    """The seven somewhere on a white page."""
    page = np.full((height, width), 255, np.uint8)
    page[top : top + GREY.shape[0], left : left + GREY.shape[1]] = GREY
    return page


def test_the_input_of_the_model_is_standardised() -> None:
    """Paper becomes -MEAN / STD, full ink (1 - MEAN) / STD."""
    image = preprocess(GREY)
    assert image.shape == (1, SIDE, SIDE)
    assert image.dtype == np.float32
    assert image.min() == pytest.approx(-MEAN / STD)
    assert image.max() == pytest.approx((1 - MEAN) / STD)


def test_polarity_does_not_matter() -> None:
    """Dark on light and light on dark are the same digit."""
    assert np.allclose(to_canvas(GREY), to_canvas(255 - GREY), atol=1e-6)


@pytest.mark.parametrize("paper", [40, 127, 128, 200])
def test_ink_is_found_on_paper_of_any_grey(paper: int) -> None:
    """Grey card, dark or light, and ink that is only a little darker or lighter."""
    ink = (255 - GREY.astype(int)) / 255
    for step in (-35, 35):
        picture = (paper + step * ink).round().astype(np.uint8)
        assert np.abs(to_canvas(picture) - to_canvas(GREY)).mean() < 0.01


def test_the_place_on_the_page_does_not_matter() -> None:
    """A digit in a corner reads as one in the middle."""
    corner, middle = on_page(400, 500, 2, 3), on_page(400, 500, 140, 190)
    assert np.array_equal(to_canvas(corner), to_canvas(middle))


@pytest.mark.parametrize("side", [28, 56, 112, 224, 448])
def test_the_size_hardly_matters(side: int) -> None:
    """The same drawing at other resolutions gives nearly the same canvas, give or take a pixel's shift."""
    resized, expected = (to_canvas(np.asarray(SEVEN.resize((s, s), Image.Resampling.BOX))) for s in (side, 120))
    shifted = [np.roll(resized, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    assert min(np.abs(canvas - expected).mean() for canvas in shifted) < 0.03


@pytest.mark.parametrize("height", [1, 2, 19, 20, 21, 27, 28, 29, 300])
@pytest.mark.parametrize("width", [1, 2, 19, 20, 21, 27, 28, 29, 300])
def test_ink_of_any_shape_fits(height: int, width: int) -> None:
    """A bar of any proportion ends up inside the canvas, its longer side 20 long, its middle in the middle."""
    picture = np.zeros((height + 2, width + 2), np.uint8)
    picture[1:-1, 1:-1] = 255
    if min(picture.shape) == 3:
        picture = np.pad(picture, 2)  # the border has to be paper
    canvas = to_canvas(picture)
    rows, columns = np.flatnonzero(canvas.any(axis=1)), np.flatnonzero(canvas.any(axis=0))
    assert max(len(rows), len(columns)) == DIGIT_SIDE
    for line in (rows, columns):
        assert abs(line.mean() - CENTRE) <= 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 28), (28, 1), (28, 28), (500, 300)])
def test_a_uniform_picture_is_no_digit(shape: tuple[int, int]) -> None:
    """Blank pages are said to be blank, not read as some digit."""
    for grey in (0, 128, 255):
        with pytest.raises(ImageError, match="no digit found"):
            preprocess(np.full(shape, grey, np.uint8))


def test_the_least_contrast_is_where_it_says() -> None:
    """One level below it, a picture is blank."""
    picture = np.full((28, 28), 200, np.uint8)
    picture[8:20, 13:15] = 200 - MIN_CONTRAST
    assert to_canvas(picture).max() == 1
    picture[8:20, 13:15] = 200 - MIN_CONTRAST + 1
    with pytest.raises(ImageError):
        to_canvas(picture)


@pytest.mark.parametrize(("size", "new_size"), [(1, 1), (1, 20), (20, 20), (19, 20), (21, 20), (400, 20), (7, 3)])
def test_resampling_keeps_brightness(size: int, new_size: int) -> None:
    """Each output pixel is a weighted mean of input pixels; equal sizes change nothing."""
    weights = resampling(size, new_size)
    assert weights.shape == (new_size, size)
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(axis=1), 1)
    if size == new_size:
        assert np.array_equal(weights, np.eye(size, dtype=np.float32))


def test_resampling_agrees_with_pillow() -> None:
    """Pillow's bilinear filter, which is the same triangle, is the oracle."""
    picture = np.random.default_rng(0).integers(0, 256, (61, 47)).astype(np.float32)
    ours = resampling(61, 20) @ picture @ resampling(47, 15).T
    theirs = np.asarray(Image.fromarray(picture).resize((15, 20), Image.Resampling.BILINEAR))
    assert np.allclose(ours, theirs, atol=1e-2)


def test_an_mnist_digit_passes_through_all_but_unchanged(mnist_test: Digits) -> None:
    """For 99 of 100 test images no pixel moves by more than a tenth; in the mean it is far less."""
    change = [np.abs(to_canvas(image) - image / 255).max() for image in mnist_test.images]
    assert np.quantile(change, 0.98) < 0.1


def test_a_thin_stroke_on_a_large_canvas_stays_strong() -> None:
    """A hairline fades when it is reduced; its strength is set afterwards."""
    picture = np.full((512, 512), 255, np.uint8)
    picture[100:400, 255:257] = 0
    assert to_canvas(picture).max() == 1


def test_the_centre_of_mass_is_put_in_the_middle() -> None:
    """Within half a pixel, as MNIST has it."""
    canvas = centre(fit(255 - GREY))
    y, x = np.mgrid[:SIDE, :SIDE]
    for axis in (y, x):
        assert abs((canvas * axis).sum() / canvas.sum() - CENTRE) <= 0.5
