"""Corrupt digits and outliers at random, and preprocess them as the service does."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.data.corruptions import CORRUPTIONS
from export.data.dataset import OUTLIER_LABEL, Dataset
from export.data.outliers import TRAIN_DRAWINGS, Drawing
from export.data.scenes import map_parallel
from service.errors import ImageError
from service.imaging.normalize import SIDE, center, crop_to_ink, normalize_digit, resize_to_box
from service.imaging.segment import MAX_CANVAS_SIDE

MAX_ATTEMPTS = 20
TRAIN_COUNT = 20_000

INVERTED_SHARE = 0.07
"""Share of the images in which the background is taken for ink."""

TIGHT_SHARE = 0.2
"""Share of the drawings that are cut out to their bounding box, half of them stretched to a square."""


def corrupt_dataset(digits: Dataset, seed: int) -> Dataset:
    """Corrupt each image, uint8 (N, 28, 28), and preprocess it: float32 (N, 1, 28, 28) in [0, 1]."""
    return Dataset(map_parallel(corrupted_image, list(digits.images), seed, "Corrupting MNIST"), digits.labels)


def corrupted_outliers(seed: int, count: int = TRAIN_COUNT) -> Dataset:
    """Corrupt outliers: float32 (count, 1, 28, 28), labeled OUTLIER_LABEL. A corruption must not look like a digit."""
    drawings = [TRAIN_DRAWINGS[index % len(TRAIN_DRAWINGS)] for index in range(count)]
    return Dataset(
        map_parallel(_corrupted_drawing, drawings, seed, "Corrupting outliers"), np.full(count, OUTLIER_LABEL)
    )


def corrupted_image(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Corrupt ink, uint8 (S, S), and preprocess it: float32 (1, 28, 28) in [0, 1]. Rejected images are redrawn."""
    if rng.random() < INVERTED_SHARE:
        return inverted_image(ink, rng)
    for _ in range(MAX_ATTEMPTS):
        try:
            return normalize_digit(corrupt(ink, rng))[np.newaxis]
        except ImageError:
            continue
    raise RuntimeError(f"preprocessing rejects {MAX_ATTEMPTS} corrupted versions of an image")


def inverted_image(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Take the background for ink, as a wrong guess of the polarity does: uint8 (S, S) to float32 (1, 28, 28)."""
    box = _cut_out(ink, rng).astype(np.float32) / 255
    inverted = 1 - box * np.float32(rng.uniform(0.6, 1))
    return center(resize_to_box(inverted.astype(np.float32)))[np.newaxis]


def corrupt(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Apply one to three corruptions at a random size, uint8 (S, S) to uint8 (T, T), of either polarity.

    T is 28 to 56: the service passes such an image to the network as a whole, so the digit stays in it.
    """
    side = int(rng.integers(SIDE, MAX_CANVAS_SIDE + 1))
    page = _cut_out(ink, rng) if rng.random() < TIGHT_SHARE else ink
    corrupted = np.asarray(Image.fromarray(page).resize((side, side), Image.Resampling.BICUBIC), np.float64) / 255
    count = rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])
    for index in rng.permutation(len(CORRUPTIONS))[:count]:
        corrupted = np.clip(CORRUPTIONS[index](corrupted, rng), 0, 1)
    gray = (corrupted * 255).astype(np.uint8)
    return gray if rng.random() < 0.5 else 255 - gray


def _corrupted_drawing(drawing: Drawing, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw an image that is not blank, and corrupt it: float32 (1, 28, 28) in [0, 1]."""
    while not (ink := drawing(rng)).any():  # noise and textures are blank at times
        pass
    return corrupted_image(ink, rng)


def _cut_out(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the ink out to its bounding box and at most two pixels around it; pad it to a square in half of the cases."""
    box = crop_to_ink(ink.astype(np.float32))
    if rng.random() < 0.5:
        missing = max(box.shape) - np.array(box.shape)
        box = np.pad(box, [(n // 2, n - n // 2) for n in missing])
    return np.pad(box, int(rng.integers(3))).astype(np.uint8)
