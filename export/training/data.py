"""The images that a run trains and validates on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from export.data.cache import DatasetCache
from export.data.corrupted import TRAIN_COUNT as CORRUPTED_OUTLIERS
from export.data.corrupted import corrupt_dataset, corrupted_outliers
from export.data.dataset import Dataset
from export.data.mishaps.forms import train_mishaps
from export.data.mnist import load_train
from export.data.numbers import TRAIN_COUNT as NUMBERS
from export.data.numbers import number_outliers
from export.data.outliers import TRAIN_COUNT as OUTLIERS
from export.data.outliers import train_outliers
from export.data.own_digits import OwnDigits
from export.data.scenes import draw_dataset, normalize_dataset, photograph_dataset
from export.data.strokes import FORMS
from export.training.device_dataset import DeviceDataset
from export.training.recipe import Recipe

CORRUPTED = "corrupted"
"""The validation images that select the checkpoint but fit no temperature: clients send few images like them."""

OWN = "own_digits"
"""The held-out images of a user's own digits."""

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
        """Return the validation images that fit the temperature: all but the corrupted ones."""
        return [dataset for name, dataset in self.validation.items() if name != CORRUPTED]


def load_data(recipe: Recipe, mnist: Path | None, cache: DatasetCache, own: OwnDigits | None = None) -> TrainingData:
    """Load MNIST and render the other images, ten minutes on two cores for all of them. The cache keeps them.

    own: a user's own digits. Raises DataError if MNIST cannot be loaded.
    """
    digits, validation = load_train(mnist)
    parts = render_parts(digits.take_first(recipe.share), recipe.share, cache)
    held_out = {
        "mnist": normalize_dataset(validation),
        "photographed": cache.load("photographed-validation", lambda: photograph_dataset(validation, SEED + 1)),
        CORRUPTED: cache.load("corrupted-validation", lambda: corrupt_dataset(validation, SEED + 1)),
    }
    return assemble(recipe, parts, held_out, own)


def assemble(
    recipe: Recipe, parts: Sequence[Dataset], held_out: Mapping[str, Dataset], own: OwnDigits | None = None
) -> TrainingData:
    """Copy the parts of the training data and the validation images, by name, to the device: float32 (N, 1, 28, 28).

    own: a user's own digits, which become the last part, repeated until they fill their place in an epoch.
    """
    if own:
        parts = [*parts, _repeat(own.training, recipe.epoch_size[len(parts)])]
        held_out = {**held_out, OWN: own.validation}
    return TrainingData(DeviceDataset(*parts), {name: DeviceDataset(dataset) for name, dataset in held_out.items()})


def render_parts(digits: Dataset, share: float, cache: DatasetCache) -> list[Dataset]:
    """Render the parts of the training data, in the order of Recipe.epoch_size: float32 (N, 1, 28, 28) in [0, 1].

    digits: MNIST's, uint8 (N, 28, 28). share: of the other images, which depend on no digit.
    """
    repeated = Dataset.concat([digits] * CORRUPTED_COPIES)
    forms = [replace(form, count=round(share * form.count)) for form in FORMS]
    renderers: dict[str, Callable[[], Dataset]] = {
        "photographed": lambda: photograph_dataset(digits, SEED),
        "drawn": lambda: draw_dataset(SEED, forms),
        "outliers": lambda: train_outliers(SEED, round(share * OUTLIERS)),
        "corrupted": lambda: corrupt_dataset(repeated, SEED),
        "mishaps": lambda: train_mishaps(digits, SEED),
        "numbers": lambda: number_outliers(digits, SEED, round(share * NUMBERS)),
        "corrupted-outliers": lambda: corrupted_outliers(SEED, round(share * CORRUPTED_OUTLIERS)),
    }
    suffix = "" if share == 1 else f"-{share:g}"
    return [normalize_dataset(digits), *(cache.load(name + suffix, render) for name, render in renderers.items())]


def _repeat(dataset: Dataset, count: int) -> Dataset:
    """Repeat a whole dataset until it has at least `count` images."""
    return Dataset.concat([dataset] * -(-count // len(dataset)))
