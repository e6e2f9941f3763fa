"""Datasets are selected, concatenated and split with images and labels in step."""

import numpy as np
import pytest

from export.data.dataset import Dataset, split_batches

DATASET = Dataset(np.arange(5, dtype=np.uint8), np.arange(5) * 10)


def test_take_keeps_images_and_labels_together() -> None:
    """Selects by index, in the order of the indices, and as often as they are named."""
    taken = DATASET.take(np.array([3, 0, 3]))
    assert (taken.images.tolist(), taken.labels.tolist()) == ([3, 0, 3], [30, 0, 30])
    assert len(taken) == 3


def test_concat_keeps_the_order() -> None:
    """Appends images and labels of each dataset in turn, from any iterable."""
    joined = Dataset.concat(DATASET.take(np.array(indices)) for indices in ([4], [1, 2]))
    assert (joined.images.tolist(), joined.labels.tolist()) == ([4, 1, 2], [40, 10, 20])


@pytest.mark.parametrize(("size", "lengths"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (8, [7])])
def test_batches_cover_every_image_once(size: int, lengths: list[int]) -> None:
    """Splits into slices of at most `size`, in order; the last one may be shorter."""
    images = np.arange(7, dtype=np.float32)
    batches = list(split_batches(images, size))
    assert [len(batch) for batch in batches] == lengths
    assert np.array_equal(np.concatenate(batches), images)
