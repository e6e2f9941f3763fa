"""A dataset in the memory of the training device, and its augmented samples."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from export.data.dataset import Dataset
from export.training.augment import add_noise, augment
from service.imaging.normalize import MEAN, STD

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

CHUNK = 8192
"""Images that are augmented at once. It bounds the memory, and a GPU needs many to be busy."""


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

    def sample(self, counts: Sequence[int], generator: torch.Generator, strength: float = 1.0) -> tuple[Tensor, Tensor]:
        """Sample up to `counts[i]` images of part i, shuffled, augmented and standardized, and their labels.

        float32 (M, 1, 28, 28) and int64 (M,) with the M of `sample_size`. The generator must be on DEVICE.
        strength: of the augmentation, as in `augment`.
        """
        starts = accumulate([0, *self.sizes])
        chosen = [
            start + _permutation(size, generator)[:count]
            for start, size, count in zip(starts, self.sizes, counts, strict=False)
        ]
        indices = shuffle([torch.cat(chosen)], generator)[0]
        augmented = [
            add_noise(augment(self.images[chunk], generator, strength), generator) for chunk in indices.split(CHUNK)
        ]
        return standardize(torch.cat(augmented)), self.labels[indices]

    def sample_size(self, counts: Sequence[int]) -> int:
        """Count the images that `sample` returns."""
        return sum(map(min, counts, self.sizes))


def shuffle(tensors: Sequence[Tensor], generator: torch.Generator) -> list[Tensor]:
    """Shuffle the rows of tensors of one length alike, on the generator's device."""
    order = _permutation(len(tensors[0]), generator)
    return [tensor[order] for tensor in tensors]


def standardize(images: Tensor) -> Tensor:
    """Standardize float32 (N, 1, 28, 28) in [0, 1] with MNIST's mean and standard deviation."""
    return (images - MEAN) / STD


def _permutation(size: int, generator: torch.Generator) -> Tensor:
    """Return the numbers below `size` in random order, int64 (size,)."""
    return torch.randperm(size, generator=generator, device=generator.device)
