"""A digit in a circle, a box or another shape is read, and not what is drawn around it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from service.imaging.alternatives import find_alternatives
from service.imaging.components import Components, label_components
from service.imaging.enclosure import find_content, main_content
from service.imaging.normalize import find_digit, normalize_digit
from tests.images import SEVEN

Draw = Callable[[ImageDraw.ImageDraw], None]

EXPECTED = normalize_digit(np.asarray(SEVEN))
SHAPES: dict[str, Draw] = {
    "circle": lambda draw: draw.ellipse((60, 60, 240, 240), outline=0, width=6),
    "circle with a gap": lambda draw: draw.arc((60, 60, 240, 240), 100, 455, fill=0, width=6),
    "box": lambda draw: draw.rectangle((60, 60, 240, 240), outline=0, width=3),
}


def seven_and(draw: Draw) -> NDArray[np.uint8]:
    """Write the seven in the middle of a page, and draw something around it."""
    page = Image.new("L", (300, 300), 255)
    page.paste(SEVEN, (90, 90))
    draw(ImageDraw.Draw(page))
    return np.asarray(page)


def components_of(draw: Draw) -> Components:
    page = Image.new("L", (200, 200), 255)
    draw(ImageDraw.Draw(page))
    mask = np.asarray(page) < 128
    return label_components(mask, mask.astype(np.float32))


@pytest.mark.parametrize("name", SHAPES)
def test_the_digit_inside_is_the_first_reading(name: str) -> None:
    """Extract the seven alone from a circle, one that is not closed, and a box."""
    image = find_digit(seven_and(SHAPES[name])).image
    assert np.abs(image - EXPECTED).mean() < 0.02


def test_a_small_digit_inside_a_shape_is_an_alternative() -> None:
    """Find the seven, a third as high as the diamond around it, among the alternatives, though not first."""
    gray = seven_and(lambda draw: draw.line([(150, 12), (288, 150), (150, 288), (12, 150), (150, 12)], fill=0, width=6))
    first = find_digit(gray)
    assert np.abs(first.image - EXPECTED).mean() > 0.1
    assert min(np.abs(digit.image - EXPECTED).mean() for digit in find_alternatives(gray, first)) < 0.05


def test_no_alternative_has_the_circle_around_the_first_reading() -> None:
    """Leave out what surrounds a digit that was found in a circle, and keep its own alternatives."""
    gray = seven_and(SHAPES["circle"])
    first = find_digit(gray)
    assert first.is_enclosed
    assert any(digit.surrounds(first) for digit in find_alternatives(gray, None))
    assert not any(digit.surrounds(first) for digit in find_alternatives(gray, first))


def test_a_hole_is_not_the_content() -> None:
    """Keep the outer line of an outlined digit whose hole is not in its middle, as in a 9."""

    def nine(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((60, 20, 140, 180), outline=0, width=3)
        draw.ellipse((75, 35, 125, 95), outline=0, width=3)

    components = components_of(nine)
    outer = int(components.height.argmax())
    assert find_content(components, outer) == 1 - outer
    assert main_content(components, outer) == outer


def test_a_part_in_an_open_corner_is_not_enclosed() -> None:
    """Find no content in the corner of an L, which has ink on two of four sides."""

    def corner(draw: ImageDraw.ImageDraw) -> None:
        draw.line([(20, 20), (20, 180), (180, 180)], fill=0, width=4)
        draw.ellipse((60, 60, 140, 140), outline=0, width=3)

    components = components_of(corner)
    assert find_content(components, int(components.height.argmax())) is None


def test_specks_inside_a_zero_are_not_the_content() -> None:
    """Keep a zero with a dot in its middle."""

    def dotted_zero(draw: ImageDraw.ImageDraw) -> None:
        draw.ellipse((60, 20, 140, 180), outline=0, width=8)
        draw.ellipse((92, 92, 108, 108), fill=0)

    components = components_of(dotted_zero)
    assert find_content(components, int(components.height.argmax())) is None
