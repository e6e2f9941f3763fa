"""A dataset in the memory of the training device, and its augmented batches."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from export.data.dataset import Dataset
from export.training.augment import add_noise, augment
from service.imaging.normalize import MEAN, STD

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class DeviceDataset:
    """Images, float32 (N, 1, 28, 28) in [0, 1] and not augmented, and labels, int64 (N,), on DEVICE.

    The dataset remembers the sizes of the parts that it was made of, because an epoch samples from each part.
    """

    def __init__(self, *parts: Dataset) -> None:
        """Concatenate the parts and copy them to DEVICE."""
        whole = Dataset.concat(parts)
        self.images = torch.from_numpy(whole.images).to(DEVICE)
        self.labels = torch.from_numpy(whole.labels).to(DEVICE)
        self.sizes = [len(part) for part in parts]

    def __len__(self) -> int:
        return len(self.labels)

    def num_batches(self, counts: Sequence[int], batch_size: int) -> int:
        """Count the batches that `batches` yields."""
        return -(-sum(map(min, counts, self.sizes)) // batch_size)

    def batches(
        self, counts: Sequence[int], batch_size: int, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Sample up to `counts[i]` images of part i, and yield them shuffled, augmented and standardized.

        Each batch is float32 (B, 1, 28, 28) and int64 (B,). The generator must be on DEVICE.
        """
        sample = torch.cat(
            [
                start + _permutation(size, generator)[:count]
                for start, size, count in zip(accumulate([0, *self.sizes]), self.sizes, counts, strict=False)
            ]
        )
        for indices in sample[_permutation(len(sample), generator)].split(batch_size):
            yield standardize(add_noise(augment(self.images[indices], generator), generator)), self.labels[indices]


def standardize(images: Tensor) -> Tensor:
    """Standardize float32 (N, 1, 28, 28) in [0, 1] with MNIST's mean and standard deviation."""
    return (images - MEAN) / STD


def _permutation(size: int, generator: torch.Generator) -> Tensor:
    """Return the numbers below `size` in random order, int64 (size,)."""
    return torch.randperm(size, generator=generator, device=generator.device)
