"""Examples in the device's memory, and the augmented batches that a run learns from."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.augment import augment
from service.preprocess import MEAN, STD

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Examples:
    """Canvases, float32 (N, 1, 28, 28) in [0, 1], as they are before augmentation, and their labels, int64 (N,)."""

    def __init__(self, *parts: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
        self.canvases = torch.from_numpy(np.concatenate([canvases for canvases, _ in parts])).to(DEVICE)
        self.labels = torch.from_numpy(np.concatenate([labels for _, labels in parts])).to(DEVICE)

    @classmethod
    def together(cls, all_of: Iterable["Examples"]) -> "Examples":
        """Several as one."""
        return cls(*((examples.canvases.cpu().numpy(), examples.labels.cpu().numpy()) for examples in all_of))

    def __len__(self) -> int:
        return len(self.labels)

    def shuffled(self, size: int, batch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """At most `size` of them in a random order, in augmented, standardised batches."""
        for chosen in torch.randperm(len(self), generator=generator, device=generator.device)[:size].split(batch):
            yield standardise(augment(self.canvases[chosen], generator)), self.labels[chosen]


def standardise(batch: Tensor) -> Tensor:
    """float32 (N, 1, 28, 28) in [0, 1] to what the network takes."""
    return (batch - MEAN) / STD
