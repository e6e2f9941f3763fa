"""A digit that is too small for the search has its place found."""

import numpy as np

from service.imaging.reduction import SEARCH_SIDE
from service.imaging.spots import MAX_SPOT_SIDE, MAX_SPOTS, find_spots
from tests.images import SEVEN


def test_spots_of_a_large_page_are_found() -> None:
    """Find a digit of twelve pixels on a page that is searched at a reduced size."""
    page = np.full((600, 450), 255, np.uint8)
    page[300:318, 200:218] = np.asarray(SEVEN.resize((18, 18)))
    assert max(page.shape) > SEARCH_SIDE
    assert any(199 <= left <= 206 and 299 <= top <= 306 for left, top, _, _ in find_spots(page))


def test_number_and_size_of_spots_are_limited() -> None:
    """Return at most MAX_SPOTS of each polarity, and none that the search at a reduced size can find."""
    row, large = (np.full((600, 450), 255, np.uint8) for _ in range(2))
    for top in range(20, 580, 60):
        row[top : top + 18, 200:218] = np.asarray(SEVEN.resize((18, 18)))
    large[100:400, 100:400] = np.asarray(SEVEN.resize((300, 300)))
    assert 1 <= len(find_spots(row)) <= 2 * MAX_SPOTS
    for page in (row, large):
        assert all(max(width, height) <= MAX_SPOT_SIDE * 600 for _, _, width, height in find_spots(page))
