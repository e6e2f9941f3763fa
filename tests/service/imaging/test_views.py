"""The views of a canvas show the same digit, slightly changed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.imaging.views import MATRICES, canvas_views

CANVAS = np.zeros((28, 28), np.float32)
CANVAS[7:21, 12:15] = 1
CANVAS[18:21, 12:20] = 0.6
"""An L. It leaves room for the view that enlarges it."""


def moments(image: NDArray[np.float32]) -> list[float]:
    """Return variance down, variance across and covariance of the ink, in square pixels."""
    down, across = np.mgrid[:28, :28].astype(np.float64)
    weights = image / image.sum()
    down, across = down - (down * weights).sum(), across - (across * weights).sum()
    return [float((product * weights).sum()) for product in (down * down, across * across, down * across)]


def test_views_keep_shape_dtype_and_range() -> None:
    """Return six views of a canvas, float32 in [0, 1], each of which differs from it."""
    views = canvas_views(CANVAS)
    assert views.shape == (6, 28, 28)
    assert views.dtype == np.float32
    assert views.min() >= 0
    assert views.max() <= 1
    assert all(not np.array_equal(view, CANVAS) for view in views)


@pytest.mark.parametrize("index", range(len(MATRICES)))
def test_each_view_maps_the_ink_as_its_matrix_says(index: int) -> None:
    """Move the second moments of the ink by the inverse of the matrix."""
    (xx, xy), (yx, yy) = MATRICES[index]
    down, across, mixed = moments(CANVAS)
    inverse = np.linalg.inv([[xx, xy], [yx, yy]])
    expected = inverse @ [[across, mixed], [mixed, down]] @ inverse.T
    actual_down, actual_across, actual_mixed = moments(canvas_views(CANVAS)[index])
    actual = [[actual_across, actual_mixed], [actual_mixed, actual_down]]
    assert np.allclose(actual, expected, rtol=0.03, atol=0.5)


def test_what_lies_outside_is_background() -> None:
    """Take zeros from beyond the border, even where ink touches it."""
    views = canvas_views(np.ones((28, 28), np.float32))
    assert views[2, 0, 0] == 0  # 8% smaller
    assert views[3].min() == pytest.approx(1)  # 8% larger
