"""The digits of a line are found from left to right; those that touch can be cut apart."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.imaging.frames import remove_frames
from service.imaging.line import find_line_alternatives, find_lines
from tests.images import line_of


def gray(digits: str, gap: int = 30) -> NDArray[np.uint8]:
    return np.asarray(line_of(digits, gap))


def cut_out(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut an image to the bounding box of its ink."""
    rows, columns = (np.flatnonzero((image < 128).any(axis=axis)) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("digits", ["42", "407", "55", "74", "1234567890"])
def test_each_digit_is_a_group(digits: str) -> None:
    """Find as many groups as digits, from left to right, each with itself as a whole piece."""
    groups = find_lines(gray(digits))[0].groups
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
    assert len(find_lines(image)[0].groups) == 2


def test_dots_and_dashes_are_no_groups() -> None:
    """Leave out a dot on the base line and a dash in the middle."""
    image = gray("42", gap=80).copy()
    image[138:146, 130:138] = 0
    assert len(find_lines(image)[0].groups) == 2


def test_touching_digits_are_one_group_with_cuts() -> None:
    """Offer cuts in a group that is wider than one digit, and pieces for each side of them."""
    (group,) = find_lines(gray("08", gap=-6))[0].groups
    assert len(group.strokes) > 2
    assert group.strokes[0] == group.strokes[-1] == 0
    starts, ends = {piece.start for piece in group.pieces}, {piece.end for piece in group.pieces}
    assert 0 in starts
    assert len(group.strokes) - 1 in ends
    assert starts & ends


def test_digits_along_the_border_are_in_a_line_of_their_own() -> None:
    """Find all digits of a tight crop in the second line. The first leaves out what lies along the border."""
    inner, with_border = find_lines(cut_out(gray("407")))
    assert len(inner.groups) < 3
    assert len(with_border.groups) == 3


@pytest.mark.parametrize("width", [1, 8, 30])
def test_stripes_along_the_edges_are_no_digits(width: int) -> None:
    """Leave out a rectangle along each side in the line that keeps what lies along the border."""
    image = np.pad(gray("4"), ((0, 0), (width, width)))
    assert [len(line.groups) for line in find_lines(image)] == [1, 1]


def test_a_one_along_the_border_is_a_digit() -> None:
    """Keep the 1 of a number that was cut out tightly: it does not fill its box."""
    _, with_border = find_lines(cut_out(gray("174")))
    assert len(with_border.groups) == 3


def test_a_digit_that_is_joined_to_the_border_is_a_rest() -> None:
    """Say that a line is incomplete whose last digit a shadow or a margin line joins to the image's border."""
    image = gray("407").copy()
    assert not find_lines(image)[0].has_rest
    columns = np.flatnonzero((image < 128).any(axis=0))
    image[:, columns[-1] - 4 : columns[-1]] = 0
    inner = find_lines(image)[0]
    assert len(inner.groups) == 2
    assert inner.has_rest


def test_nothing_along_the_border_is_one_line() -> None:
    """Search once where no ink lies along the border, and not at all where there is no ink."""
    assert len(find_lines(gray("407"))) == 1
    assert find_lines(np.full((40, 90), 255, np.uint8)) == []


def test_printed_lines_are_removed_in_an_alternative() -> None:
    """Find the digits between ruled lines that join them into one component."""
    image = gray("407").copy()
    image[125:127] = 100
    assert len(find_lines(image)[0].groups) != 3
    assert any(len(line.groups) == 3 for line in find_line_alternatives(image))


def test_a_sloped_line_is_found_whole() -> None:
    """Find all digits of a line that climbs by more than a digit's height from one end to the other."""
    image = Image.fromarray(gray("1234567890")).rotate(8, Image.Resampling.BILINEAR, expand=True, fillcolor=255)
    assert len(find_lines(np.asarray(image))[0].groups) == 10


@pytest.mark.parametrize("fields", [1, 3])
def test_a_frame_around_the_digits_is_removed(fields: int) -> None:
    """Find the digits inside a printed box, and in the fields of a comb, before printed lines are searched."""
    image = gray("407").copy()
    rows, columns = (np.flatnonzero((image < 128).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0] - 9, rows[-1] + 9, columns[0] - 9, columns[-1] + 9
    lefts = [piece.digit.box[0] for group in find_lines(image)[0].groups for piece in group.pieces]
    for row in (top, bottom):
        image[row : row + 2, left : right + 2] = 0
    for column in (left, right, *(int(start) - 12 for start in lefts[1:fields])):
        image[top : bottom + 2, column : column + 2] = 0
    assert len(find_lines(image)[0].groups) == 3


def test_a_digit_that_touches_its_box_is_kept() -> None:
    """Remove no component that is a frame and a digit."""
    image = gray("0").copy()
    rows, columns = (np.flatnonzero((image < 128).any(axis=axis)) for axis in (1, 0))
    mask = image < 128
    mask[rows[0] - 9, columns[0] - 9 : columns[-1] + 9] = True
    mask[rows[0] - 9 : rows[0] + 5, (columns[0] + columns[-1]) // 2] = True
    assert np.array_equal(remove_frames(mask), mask)


def test_the_page_is_searched_without_its_table() -> None:
    """Find the digits of a page on a patterned table, with their boxes in the whole image."""
    table = np.where(np.indices((300, 700)).sum(axis=0) % 16 < 8, np.uint8(60), np.uint8(140))
    page = gray("407")
    table[40 : 40 + page.shape[0], 90 : 90 + page.shape[1]] = page
    found = [line.groups for line in find_line_alternatives(table) if len(line.groups) == 3]
    columns = np.flatnonzero((page < 128).any(axis=0)) + 90
    assert any(abs(groups[0].pieces[0].digit.box[0] - columns[0]) <= 2 for groups in found)


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (30, 1_000)])
@pytest.mark.parametrize("seed", range(3))
def test_any_image_gives_groups_or_none(shape: tuple[int, int], seed: int) -> None:
    """Raise nothing for noise of any shape."""
    noise = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    for line in (*find_lines(noise), *find_line_alternatives(noise)):
        assert all(np.isfinite(piece.digit.image).all() for group in line.groups for piece in group.pieces)
