"""The images that an export is calibrated and measured on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.data.dataset import Dataset
from export.data.mnist import load_test, load_train
from export.data.scenes import normalize_dataset, photograph_dataset
from export.data.wild import load_wild
from service.imaging.decode import decode
from service.imaging.normalize import SIDE, standardize, to_model_input

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MAX_EXAMPLE_BYTES = 100_000_000
"""Memory for decoding one of the repository's own images."""

RANDOM_IMAGES = 1_000
CALIBRATION_IMAGES = 1_000
CALIBRATION_SEED = 2


@dataclass(frozen=True)
class ExportInputs:
    """Standardized images, float32 (N, 1, 28, 28).

    calibration: training images that quantization takes its ranges from. labeled: datasets by source name, for
    accuracy and parity: `mnist-test`, and `wild` if there are wild images. unlabeled: images by source name, for
    parity only.
    """

    calibration: NDArray[np.float32]
    labeled: Mapping[str, Dataset]
    unlabeled: Mapping[str, NDArray[np.float32]]

    @property
    def images(self) -> dict[str, NDArray[np.float32]]:
        """All images for parity, by source name."""
        return {**{name: dataset.images for name, dataset in self.labeled.items()}, **self.unlabeled}


def load_inputs(mnist: Path | None, wild: Path | None) -> ExportInputs:
    """Load MNIST, the wild images if there is a folder of them, the repository's examples, and random images.

    Raises DataError if MNIST or the wild images cannot be loaded.
    """
    labeled = {"mnist-test": mnist_inputs(load_test(mnist))}
    if wild:
        labeled["wild"] = wild_inputs(wild)
    unlabeled = {"examples": example_images(EXAMPLES), "random": random_images()}
    return ExportInputs(calibration_images(load_train(mnist)[0]), labeled, unlabeled)


def calibration_images(digits: Dataset, count: int = CALIBRATION_IMAGES) -> NDArray[np.float32]:
    """Return the first `count` digits, and a photographed version of each: float32 (2 * count, 1, 28, 28)."""
    sample = digits.take(np.arange(count))
    normalized = Dataset.concat([normalize_dataset(sample), photograph_dataset(sample, CALIBRATION_SEED)])
    return np.stack([standardize(image[0]) for image in normalized.images])


def mnist_inputs(digits: Dataset) -> Dataset:
    """Preprocess MNIST images, uint8 (N, 28, 28), as the service does."""
    return Dataset(np.stack([to_model_input(image) for image in digits.images]), digits.labels)


def wild_inputs(folder: Path) -> Dataset:
    """Load the wild images that the service does not reject."""
    accepted = [(standardize(wild.image), wild.label) for wild in load_wild(folder) if wild.image is not None]
    return Dataset(np.stack([image for image, _ in accepted]), np.array([label for _, label in accepted]))


def example_images(folder: Path) -> NDArray[np.float32]:
    """Load the sample images of a folder, preprocessed as the service does."""
    paths = sorted((*folder.glob("*.png"), *folder.glob("*.jpg")))
    return np.stack([to_model_input(decode(path.read_bytes(), MAX_EXAMPLE_BYTES)) for path in paths])


def random_images(count: int = RANDOM_IMAGES) -> NDArray[np.float32]:
    """Draw standard normal noise. It activates the network in ways that digits do not."""
    return np.random.default_rng(0).standard_normal((count, 1, SIDE, SIDE)).astype(np.float32)
