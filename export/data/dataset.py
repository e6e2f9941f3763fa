"""Images with their labels, as arrays."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUTLIER_LABEL = -1
"""The label of an out-of-distribution image: it shows no digit."""


@dataclass(frozen=True)
class Dataset:
    """Images and their labels.

    images: uint8 (N, 28, 28), 0 = background, as MNIST has them; or float32 (N, 1, 28, 28) after preprocessing, in
    [0, 1] or standardized. labels: int64 (N,), 0 to 9 or OUTLIER_LABEL.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "Dataset":
        """Select images and labels by index, int64 (n,), in this order."""
        return Dataset(self.images[indices], self.labels[indices])

    def take_first(self, share: float) -> "Dataset":
        """Select this share of the images, the first ones."""
        return self.take(np.arange(round(share * len(self))))

    @classmethod
    def concat(cls, datasets: Iterable["Dataset"]) -> "Dataset":
        """Concatenate datasets whose images have one shape and dtype."""
        parts = list(datasets)
        return cls(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def split_batches(images: NDArray[np.float32], size: int) -> Iterator[NDArray[np.float32]]:
    """Iterate over consecutive slices of at most `size` images."""
    return (images[start : start + size] for start in range(0, len(images), size))
