"""What is no digit looks like what it is called."""

import numpy as np
import pytest

from export.batches import NOT_A_DIGIT
from export.outliers import LEARNT, LEARNT_FONTS, MEASURED, MEASURED_FONTS, SIDE, canvases, seen


@pytest.mark.parametrize("kind", MEASURED)
def test_every_kind_can_be_drawn_and_seen(kind: str) -> None:
    """uint8 (64, 64), then a canvas with ink; no two the same."""
    ink = MEASURED[kind](np.random.default_rng(0))
    assert ink.shape == (SIDE, SIDE)
    assert ink.dtype == np.uint8
    found = [seen(MEASURED[kind], np.random.default_rng(seed)) for seed in range(8)]
    assert all(canvas.max() == 1 for canvas in found)
    assert len({canvas.tobytes() for canvas in found}) == 8


def test_what_is_measured_is_not_what_was_learnt() -> None:
    """No font in common."""
    assert not set(LEARNT_FONTS) & set(MEASURED_FONTS)


def test_drawings_take_turns_and_repeat_with_the_seed() -> None:
    """float32 (N, 1, 28, 28) in [0, 1]."""
    first, again, other = (canvases(LEARNT, 8, seed) for seed in (1, 1, 2))
    assert first.shape == (8, 1, 28, 28)
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() == 1
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert NOT_A_DIGIT not in range(10)
