"""Numbers and fragments are outliers: several digits side by side, and pieces that show no digit."""

import numpy as np

from export.data.dataset import OUTLIER_LABEL, Dataset
from export.data.numbers import LEAST_ASPECT, draw_fragment, draw_number, number_outliers
from service.imaging.components import label_components
from tests.images import SEVEN

INK = 255 - np.asarray(SEVEN.resize((28, 28)))


def test_a_number_shows_all_of_its_digits_from_left_to_right() -> None:
    """Draws as much ink as the digits have, up to their varied size, and more across than down."""
    for count in (2, 3, 6):
        page = draw_number(np.stack([INK] * count), np.random.default_rng(count))
        assert 0.5 * count < page.sum() / INK.sum() < 1.6 * count
        across, down = (np.ptp(np.nonzero(page.any(axis=axis))[0]) for axis in (0, 1))
        assert across > down


def test_digits_of_a_number_stand_apart_or_touch() -> None:
    """Draws numbers whose digits are separate, and others whose digits are joined."""
    pages = [draw_number(np.stack([INK] * 3), np.random.default_rng(seed)) for seed in range(40)]
    counts = {len(label_components(page > 60, page).ink) for page in pages}
    assert {1, 3} <= counts


def test_a_fragment_is_a_broad_piece_of_the_digit() -> None:
    """Cuts out a part that is neither blank nor so narrow that it could be a 1; sometimes there is none."""
    fragments = [draw_fragment(INK, np.random.default_rng(seed)) for seed in range(60)]
    pieces = [fragment for fragment in fragments if fragment is not None]
    assert 10 < len(pieces) < 60
    assert all(LEAST_ASPECT < piece.shape[1] / piece.shape[0] < 1 / LEAST_ASPECT for piece in pieces)
    assert all(piece.sum() < 0.9 * INK.sum() for piece in pieces)


def test_number_outliers_repeat_with_the_seed() -> None:
    """Gives float32 (N, 1, 28, 28) in [0, 1], labeled -1, the same for the same seed, others for another."""
    digits = Dataset(np.stack([INK, INK[:, ::-1]]), np.array([7, 7]))
    first, again, other = (number_outliers(digits, seed, 8) for seed in (1, 1, 2))
    assert first.images.shape == (8, 1, 28, 28)
    assert 0 <= first.images.min() <= first.images.max() == 1
    assert first.labels.tolist() == [OUTLIER_LABEL] * 8
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
