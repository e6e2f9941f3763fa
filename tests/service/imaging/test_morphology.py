"""Morphology and the median agree with their definitions at every pixel."""

import numpy as np
import pytest

from service.imaging import morphology

IMAGE = np.random.default_rng(0).integers(0, 256, (17, 23), np.uint8)
WINDOWS = [(1, 1), (3, 3), (1, 7), (5, 1), (9, 15)]


@pytest.mark.parametrize(("height", "width"), WINDOWS)
def test_dilation_and_erosion_take_the_extremum_of_a_window(height: int, width: int) -> None:
    """Compare each pixel with the window around it; outside the image, its border is repeated."""
    padded = np.pad(IMAGE, ((height // 2,) * 2, (width // 2,) * 2), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width))
    assert np.array_equal(morphology.dilate(IMAGE, height, width), windows.max(axis=(2, 3)))
    assert np.array_equal(morphology.erode(IMAGE, height, width), windows.min(axis=(2, 3)))


def test_median_is_that_of_nine_pixels() -> None:
    """Compare each pixel with the median of the 3 x 3 pixels around it."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(IMAGE, 1, mode="edge"), (3, 3))
    assert np.array_equal(morphology.median(IMAGE), np.median(windows, axis=(2, 3)))


def test_closing_fills_a_stroke_and_keeps_an_edge() -> None:
    """Fill a dark line that is thinner than the window, and keep the edge of a shadow."""
    gray = np.full((40, 40), 200, np.uint8)
    gray[:, 20:] = 100
    page = gray.copy()
    gray[10:13] = 0
    assert np.array_equal(morphology.close(gray, 7, 7), page)


def test_opening_removes_what_is_thinner_than_the_window() -> None:
    """Remove a bright line, and keep a bright square."""
    gray = np.zeros((40, 40), np.uint8)
    gray[20:30, 20:30] = 255
    square = gray.copy()
    gray[5] = 255
    assert np.array_equal(morphology.open(gray, 5, 5), square)
