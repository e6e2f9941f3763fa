"""Examples in the device's memory, and the augmented batches that a run learns from."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from export.augment import augment
from export.model import CLASSES
from service.preprocess import MEAN, STD

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

NOT_A_DIGIT = -1
"""The label of what the network is to doubt."""


class Examples:
    """Canvases, float32 (N, 1, 28, 28) in [0, 1], as they are before augmentation, and their labels, int64 (N,).

    They keep the order of the parts that they were made of.
    """

    def __init__(self, *parts: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
        self.canvases = torch.from_numpy(np.concatenate([canvases for canvases, _ in parts])).to(DEVICE)
        self.labels = torch.from_numpy(np.concatenate([labels for _, labels in parts])).to(DEVICE)
        self.sizes = [len(labels) for _, labels in parts]

    @classmethod
    def together(cls, all_of: Iterable["Examples"]) -> "Examples":
        """Several as one."""
        return cls(*((examples.canvases.cpu().numpy(), examples.labels.cpu().numpy()) for examples in all_of))

    def __len__(self) -> int:
        return len(self.labels)

    def steps(self, counts: Sequence[int], batch: int) -> int:
        """How many batches `shuffled` yields."""
        return -(-sum(map(min, counts, self.sizes)) // batch)

    def shuffled(
        self, counts: Sequence[int], batch: int, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """At most so many of each part, in a random order, in augmented, standardised batches."""
        chosen = torch.cat(
            [
                start + _permutation(size, generator)[:count]
                for start, size, count in zip(accumulate([0, *self.sizes]), self.sizes, counts, strict=False)
            ]
        )
        for places in chosen[_permutation(len(chosen), generator)].split(batch):
            yield standardise(augment(self.canvases[places], generator)), self.labels[places]


def standardise(batch: Tensor) -> Tensor:
    """float32 (N, 1, 28, 28) in [0, 1] to what the network takes."""
    return (batch - MEAN) / STD


def targets(labels: Tensor, smoothing: float) -> Tensor:
    """What the network is to answer, float32 (N, 10): smoothed labels, and no preference for what is no digit.

    The uniform answer to outliers is that of Hendrycks et al. 2019, "Deep anomaly detection with outlier exposure".
    """
    certain = F.one_hot(labels.clamp(min=0), CLASSES) * (1 - smoothing) + smoothing / CLASSES
    return torch.where((labels == NOT_A_DIGIT)[:, None], 1 / CLASSES, certain)


def _permutation(size: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(size, generator=generator, device=generator.device)
