"""A digit of dashes or dots is taken whole, and the digits of a number are not taken for its pieces."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from service.imaging.components import Components, label_components
from service.imaging.dashes import joined_pieces
from service.imaging.normalize import find_digit, normalize_digit
from tests.images import line_of

BAR, STEM = ((60, 60), (190, 60)), ((190, 60), (110, 240))
"""The two strokes of a seven: x, y of their ends."""


def seven_of_dashes(dash: int, gap: int) -> NDArray[np.uint8]:
    """Draw a seven with dashes and gaps of this length in pixels, on a page of 300 x 250."""
    page = Image.new("L", (250, 300), 255)
    draw = ImageDraw.Draw(page)
    for start, end in (np.array(BAR), np.array(STEM)):
        length = np.hypot(*(end - start))
        for place in np.arange(0, length, dash + gap):
            ends = [tuple(start + (end - start) * part / length) for part in (place, min(place + dash, length))]
            draw.line(ends, fill=0, width=8)
    return np.asarray(page)


def components_of(gray: NDArray[np.uint8]) -> Components:
    mask = gray < 128
    return label_components(mask, mask.astype(np.float32))


@pytest.mark.parametrize(("dash", "gap"), [(24, 10), (30, 20), (8, 8)], ids=["dashes", "wide gaps", "dots"])
def test_all_pieces_are_the_digit(dash: int, gap: int) -> None:
    """Extract nearly what a seven without gaps gives."""
    whole = normalize_digit(seven_of_dashes(300, 0))
    digit = find_digit(seven_of_dashes(dash, gap))
    assert digit.box[2] > 120
    assert digit.box[3] > 165
    assert np.abs(digit.image - whole).mean() < 0.08


def test_the_digits_of_a_number_are_not_joined() -> None:
    """Keep one of six digits alone, though each is near the next."""
    components = components_of(np.asarray(line_of("407213", gap=15)))
    assert len(components) >= 6
    main = int(components.ink.argmax())
    assert np.flatnonzero(joined_pieces(components, main)).tolist() == [main]


def test_few_pieces_are_not_joined() -> None:
    """Leave four pieces to the rules for strokes."""
    gray = np.full((200, 60), 255, np.uint8)
    for top in range(10, 170, 45):
        gray[top : top + 25, 20:30] = 0
    components = components_of(gray)
    assert len(components) == 4
    assert np.count_nonzero(joined_pieces(components, 0)) == 1
