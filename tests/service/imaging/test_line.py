"""The digits of a line are found from left to right; those that touch can be cut apart."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.imaging.line import find_line_alternatives, find_lines
from tests.images import line_of


def gray(digits: str, gap: int = 30) -> NDArray[np.uint8]:
    return np.asarray(line_of(digits, gap))


@pytest.mark.parametrize("digits", ["42", "407", "55", "74", "1234567890"])
def test_each_digit_is_a_group(digits: str) -> None:
    """Find as many groups as digits, from left to right, each with itself as a whole piece."""
    groups = find_lines(gray(digits))[0]
    assert len(groups) == len(digits)
    lefts = []
    for group in groups:
        whole = next(piece for piece in group.pieces if (piece.start, piece.end) == (0, len(group.strokes) - 1))
        lefts.append(whole.digit.box[0])
    assert lefts == sorted(lefts)


def test_separate_strokes_of_one_digit_stay_together() -> None:
    """Keep the top stroke of a five with the rest of it."""
    image = gray("25")
    columns = np.flatnonzero((image < 128).any(axis=0))
    image = image.copy()
    image[62:66, columns[-1] - 40 :] = 255  # cuts the stroke off
    assert len(find_lines(image)[0]) == 2


def test_dots_and_dashes_are_no_groups() -> None:
    """Leave out a dot on the base line and a dash in the middle."""
    image = gray("42", gap=80).copy()
    image[138:146, 130:138] = 0
    assert len(find_lines(image)[0]) == 2


def test_touching_digits_are_one_group_with_cuts() -> None:
    """Offer cuts in a group that is wider than one digit, and pieces for each side of them."""
    (group,) = find_lines(gray("08", gap=-6))[0]
    assert len(group.strokes) > 2
    assert group.strokes[0] == group.strokes[-1] == 0
    starts, ends = {piece.start for piece in group.pieces}, {piece.end for piece in group.pieces}
    assert 0 in starts
    assert len(group.strokes) - 1 in ends
    assert starts & ends


def test_digits_along_the_border_are_in_a_line_of_their_own() -> None:
    """Find all digits of a tight crop in the second line. The first leaves out what lies along the border."""
    image = gray("407")
    rows, columns = (np.flatnonzero((image < 128).any(axis=axis)) for axis in (1, 0))
    inner, with_border = find_lines(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    assert len(inner) < 3
    assert len(with_border) == 3


def test_nothing_along_the_border_is_one_line() -> None:
    """Search once where no ink lies along the border, and not at all where there is no ink."""
    assert len(find_lines(gray("407"))) == 1
    assert find_lines(np.full((40, 90), 255, np.uint8)) == []


def test_printed_lines_are_removed_in_an_alternative() -> None:
    """Find the digits between ruled lines that join them into one component."""
    image = gray("407").copy()
    image[125:127] = 100
    assert len(find_lines(image)[0]) != 3
    assert any(len(line) == 3 for line in find_line_alternatives(image))


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (30, 1_000)])
@pytest.mark.parametrize("seed", range(3))
def test_any_image_gives_groups_or_none(shape: tuple[int, int], seed: int) -> None:
    """Raise nothing for noise of any shape."""
    noise = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    for line in (*find_lines(noise), *find_line_alternatives(noise)):
        assert all(np.isfinite(piece.digit.image).all() for group in line for piece in group.pieces)
