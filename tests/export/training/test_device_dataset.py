"""Batches sample each part of a dataset, shuffled, and repeat with the seed."""

import numpy as np
import pytest
import torch

from export.data.dataset import Dataset
from export.training.device_dataset import DEVICE, DeviceDataset

COUNTS = (10, 20, 9)
BATCH_SIZE = 16


@pytest.fixture
def dataset() -> DeviceDataset:
    """Parts of 50, 40 and 5 images, labeled 0, 1 and 2."""
    rng = np.random.default_rng(0)
    return DeviceDataset(
        *(
            Dataset(rng.random((size, 1, 28, 28), np.float32), np.full(size, label))
            for label, size in enumerate((50, 40, 5))
        )
    )


def batches(dataset: DeviceDataset, seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(dataset.batches(COUNTS, BATCH_SIZE, torch.Generator(DEVICE).manual_seed(seed)))


def test_an_epoch_samples_each_part(dataset: DeviceDataset) -> None:
    """Takes `counts[i]` images of part i, or all of them if there are fewer."""
    labels = torch.cat([labels for _, labels in batches(dataset, 1)])
    assert labels.bincount().tolist() == [10, 20, 5]


def test_batches_are_as_many_as_announced(dataset: DeviceDataset) -> None:
    """Fills every batch but the last."""
    sizes = [len(labels) for _, labels in batches(dataset, 1)]
    assert sizes == [16, 16, 3]
    assert dataset.num_batches(COUNTS, BATCH_SIZE) == 3


def test_batches_repeat_with_the_seed(dataset: DeviceDataset) -> None:
    """Gives the same images for the same seed, others for another."""
    first, again, other = (batches(dataset, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(first, again, strict=True))
    assert not torch.equal(first[0][0], other[0][0])
    assert not torch.equal(first[0][1], other[0][1])


def test_the_length_is_that_of_all_parts(dataset: DeviceDataset) -> None:
    """Keeps the size of each part."""
    assert (len(dataset), dataset.sizes) == (95, [50, 40, 5])
