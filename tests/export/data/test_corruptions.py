"""Each corruption changes the ink, and keeps its shape."""

import numpy as np
import pytest

from export.data.corruptions import CORRUPTIONS, Corruption
from tests.images import SEVEN

INK = 255 - np.asarray(SEVEN.resize((28, 28)))


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.__name__)
def test_each_corruption_changes_the_ink_but_not_its_shape(corruption: Corruption) -> None:
    """Returns a changed copy of at least 11 of 12 images, without NaN; the input stays as it was."""
    ink = INK / 255
    results = [corruption(ink, np.random.default_rng(seed)) for seed in range(12)]
    assert all(result.shape == ink.shape and np.isfinite(result).all() for result in results)
    assert sum(np.abs(result - ink).max() > 0.02 for result in results) >= 11
    assert np.array_equal(ink, INK / 255)
