"""The images that a run trains and validates on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from export.data.cache import DatasetCache
from export.data.corrupted import corrupt_dataset, corrupted_outliers
from export.data.dataset import Dataset
from export.data.mishaps.forms import train_mishaps
from export.data.mnist import load_train
from export.data.numbers import number_outliers
from export.data.outliers import train_outliers
from export.data.scenes import draw_dataset, normalize_dataset, photograph_dataset
from export.training.device_dataset import DeviceDataset

CORRUPTED = "corrupted"
"""The validation images that select the checkpoint but fit no temperature: clients send few images like them."""

SEED = 0
"""Of the rendered images. They are the same for every run, whatever its own seed."""

CORRUPTED_COPIES = 2
"""Corrupted versions of each training digit."""


@dataclass(frozen=True)
class TrainingData:
    """The training images, and the validation images by name. The validation split selects the checkpoint."""

    training: DeviceDataset
    validation: Mapping[str, DeviceDataset]

    @property
    def calibration(self) -> list[DeviceDataset]:
        """The validation images that fit the temperature: all but the corrupted ones."""
        return [dataset for name, dataset in self.validation.items() if name != CORRUPTED]


def load_data(mnist: Path | None, cache: DatasetCache) -> TrainingData:
    """Load MNIST and render the other images, about ten minutes on two cores. The cache keeps them.

    Raises DataError if MNIST cannot be loaded.
    """
    digits, validation = load_train(mnist)
    repeated = Dataset.concat([digits] * CORRUPTED_COPIES)
    training = DeviceDataset(
        normalize_dataset(digits),
        cache.load("photographed", lambda: photograph_dataset(digits, SEED)),
        cache.load("drawn", lambda: draw_dataset(SEED)),
        cache.load("outliers", lambda: train_outliers(SEED)),
        cache.load("corrupted", lambda: corrupt_dataset(repeated, SEED)),
        cache.load("mishaps", lambda: train_mishaps(digits, SEED)),
        cache.load("numbers", lambda: number_outliers(digits, SEED)),
        cache.load("corrupted-outliers", lambda: corrupted_outliers(SEED)),
    )
    return TrainingData(
        training,
        {
            "mnist": DeviceDataset(normalize_dataset(validation)),
            "photographed": DeviceDataset(
                cache.load("photographed-validation", lambda: photograph_dataset(validation, SEED + 1))
            ),
            CORRUPTED: DeviceDataset(cache.load("corrupted-validation", lambda: corrupt_dataset(validation, SEED + 1))),
        },
    )
