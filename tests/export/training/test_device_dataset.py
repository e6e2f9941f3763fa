"""Samples take from each part of a dataset, shuffled, and repeat with the seed."""

import numpy as np
import pytest
import torch

from export.data.dataset import Dataset
from export.training.device_dataset import DEVICE, DeviceDataset, shuffle

COUNTS = (10, 20, 9)


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


def sample(dataset: DeviceDataset, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    return dataset.sample(COUNTS, torch.Generator(DEVICE).manual_seed(seed))


def test_a_sample_takes_from_each_part(dataset: DeviceDataset) -> None:
    """Takes `counts[i]` images of part i, or all of them if there are fewer."""
    images, labels = sample(dataset, 1)
    assert labels.bincount().tolist() == [10, 20, 5]
    assert len(images) == len(labels) == dataset.sample_size(COUNTS) == 35


def test_a_sample_repeats_with_the_seed(dataset: DeviceDataset) -> None:
    """Gives the same images for the same seed, others for another."""
    first, again, other = (sample(dataset, seed) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[1], other[1])


def test_an_image_keeps_its_label() -> None:
    """Move images and labels alike: here each image has the brightness of its label."""
    parts = (Dataset(np.full((30, 1, 28, 28), label / 2, np.float32), np.full(30, label)) for label in range(3))
    images, labels = DeviceDataset(*parts).sample((30, 30, 30), torch.Generator(DEVICE).manual_seed(0))
    means = torch.stack([images[labels == label].mean() for label in range(3)])
    assert means[0] < means[1] - 0.3 < means[2] - 0.6


def test_tensors_are_shuffled_alike() -> None:
    """Keep each row of one with its row of the other, in another order."""
    numbers = torch.arange(100)
    shuffled, doubled = shuffle([numbers, 2 * numbers], torch.Generator(DEVICE).manual_seed(0))
    assert torch.equal(2 * shuffled, doubled)
    assert torch.equal(shuffled.sort().values, numbers)
    assert not torch.equal(shuffled, numbers)


def test_the_length_is_that_of_all_parts(dataset: DeviceDataset) -> None:
    """Keeps the size of each part."""
    assert (len(dataset), dataset.sizes) == (95, [50, 40, 5])
