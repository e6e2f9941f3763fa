"""A drawing is reduced further than a photo, as long as its ink stays large enough."""

import numpy as np
import pytest
from PIL import Image

from service.imaging.drawing import DRAWING_SIDE, MIN_INK_SIDE, reduce_drawing

PAPER, INK = 250, 20


def drawing(side: int, ink_side: int) -> Image.Image:
    """Draw a square of ink in the middle of a square page."""
    page = Image.new("L", (side, side), PAPER)
    page.paste(INK, ((side - ink_side) // 2,) * 2 + ((side + ink_side) // 2,) * 2)
    return page


@pytest.mark.parametrize("side", [2 * DRAWING_SIDE - 1, 2 * DRAWING_SIDE, 280, 300, 639])
def test_drawing_keeps_at_least_its_side(side: int) -> None:
    """Reduce a drawing by an integer factor to at least DRAWING_SIDE pixels per side."""
    factor = side // DRAWING_SIDE
    assert reduce_drawing(drawing(side, side - 20)).size == (-(-side // factor),) * 2


@pytest.mark.parametrize(("ink_side", "factor"), [(1, 1), (2 * MIN_INK_SIDE - 2, 1), (2 * MIN_INK_SIDE, 2)])
def test_ink_keeps_at_least_its_side(ink_side: int, factor: int) -> None:
    """Reduce a drawing so that its ink keeps MIN_INK_SIDE pixels, or all of them."""
    page = drawing(500, ink_side)
    assert reduce_drawing(page).width == -(-500 // factor)


@pytest.mark.parametrize("level", [0, 100, 127, 128, 200, 255])
def test_ink_of_either_polarity_counts(level: int) -> None:
    """Find ink on a background of any gray."""
    page = Image.new("L", (300, 300), level)
    page.paste(255 - level if abs(255 - 2 * level) > 100 else 255 * (level < 128), (80, 80, 220, 220))
    assert reduce_drawing(page).width < 300


@pytest.mark.parametrize("place", [(0, 150), (299, 150), (150, 0), (150, 299), (0, 0), (299, 299)])
def test_photo_keeps_its_pixels(place: tuple[int, int]) -> None:
    """Leave an image as it is if a pixel of its border has another gray."""
    page = drawing(300, 200)
    page.putpixel(place, PAPER - 1)
    assert np.array_equal(np.asarray(reduce_drawing(page)), np.asarray(page))


def test_blank_drawing_keeps_its_pixels() -> None:
    """Leave an image without ink as it is."""
    assert reduce_drawing(Image.new("L", (300, 300), PAPER)).size == (300, 300)
