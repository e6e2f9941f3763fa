"""Corrupted images keep the digit in the network's input, have both polarities, and repeat with the seed."""

import numpy as np

from export.data.corrupted import corrupt, corrupt_dataset, corrupted_outliers, inverted_image
from export.data.dataset import OUTLIER_LABEL, Dataset
from service.imaging.segment import MAX_CANVAS_SIDE
from tests.images import SEVEN

INK = 255 - np.asarray(SEVEN.resize((28, 28)))


def test_corrupted_images_have_both_polarities_and_reach_the_network_as_a_whole() -> None:
    """Gives uint8 images of 28 to 56 pixels, dark on light as often as light on dark."""
    images = [corrupt(INK, np.random.default_rng(seed)) for seed in range(80)]
    assert all(image.dtype == np.uint8 and 28 <= len(image) <= MAX_CANVAS_SIDE for image in images)
    light = sum(np.median(image) > 127 for image in images)
    assert 20 <= light <= 60


def test_an_inverted_image_has_the_background_as_ink() -> None:
    """Fills more than half of the box, which is 20 pixels long, with ink."""
    for seed in range(8):
        image = inverted_image(INK, np.random.default_rng(seed))[0]
        rows, columns = np.nonzero(image)
        box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert max(box.shape) == 20
        assert box.mean() > 0.5


def test_corrupted_datasets_keep_their_labels_and_repeat_with_the_seed() -> None:
    """Gives float32 (N, 1, 28, 28) in [0, 1], the same for the same seed, others for another."""
    digits = Dataset(np.repeat(INK[np.newaxis], 6, axis=0), np.full(6, 7))
    first, again, other = (corrupt_dataset(digits, seed) for seed in (1, 1, 2))
    assert first.images.shape == (6, 1, 28, 28)
    assert 0 <= first.images.min() <= first.images.max() <= 1
    assert first.labels.tolist() == [7] * 6
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_a_corrupted_outlier_stays_an_outlier() -> None:
    """Labels every image -1."""
    outliers = corrupted_outliers(seed=0, count=9)
    assert outliers.images.shape == (9, 1, 28, 28)
    assert outliers.labels.tolist() == [OUTLIER_LABEL] * 9
