"""Draw what is not one digit: several digits side by side, and fragments of one. Both are outliers."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.data.dataset import OUTLIER_LABEL, Dataset
from export.data.scenes import map_parallel
from service.imaging.normalize import center, crop_to_ink, resize_to_box

TRAIN_COUNT = 40_000

MAX_LENGTH = 6
FRAGMENT_SHARE = 0.25
LEAST_ASPECT = 0.5
"""Width / height of a fragment. A narrower one is a 1."""


def number_outliers(digits: Dataset, seed: int, count: int = TRAIN_COUNT) -> Dataset:
    """Draw numbers and fragments of digits, uint8 (N, 28, 28): float32 (count, 1, 28, 28), labeled OUTLIER_LABEL."""
    rng = np.random.default_rng(seed)
    groups = [digits.images[rng.integers(len(digits), size=MAX_LENGTH)] for _ in range(count)]
    return Dataset(map_parallel(_outlier, groups, seed, "Drawing numbers"), np.full(count, OUTLIER_LABEL))


def draw_number(digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw digits, uint8 (n, 28, 28), side by side, apart or touching: float32 (40, W), 255 = ink."""
    boxes = [_varied_box(digit, rng) for digit in digits]
    gaps = rng.integers(-2, int(rng.integers(1, 16)), len(boxes))
    page = np.zeros((40, 40 * len(boxes)), np.float32)
    right = 2
    for box, gap in zip(boxes, gaps.tolist(), strict=True):
        left, top = max(0, right + gap), (40 - len(box)) // 2 + int(rng.integers(-4, 5))
        place = page[top : top + len(box), left : left + box.shape[1]]
        np.maximum(place, box, out=place)
        right = left + box.shape[1]
    return page


def draw_fragment(digit: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32] | None:
    """Cut a window of 40 to 65% of its box out of a digit: float32 (h, w). None if it is narrow or has little ink."""
    box = crop_to_ink(digit.astype(np.float32))
    height, width = (max(5, round(side * rng.uniform(0.4, 0.65))) for side in box.shape)
    top, left = (int(rng.integers(max(1, a - b))) for a, b in zip(box.shape, (height, width), strict=True))
    window = box[top : top + height, left : left + width]
    if (window > 127).sum() < 12:
        return None
    fragment = crop_to_ink(window)
    aspect = fragment.shape[1] / fragment.shape[0]
    return fragment if LEAST_ASPECT < aspect < 1 / LEAST_ASPECT else None


def _outlier(digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a fragment or two to six digits, normalized as one digit: float32 (1, 28, 28) in [0, 1]."""
    fragment = draw_fragment(digits[0], rng) if rng.random() < FRAGMENT_SHARE else None
    count = rng.choice(np.arange(2, MAX_LENGTH + 1), p=[0.5, 0.2, 0.14, 0.09, 0.07])
    ink = draw_number(digits[:count], rng) if fragment is None else fragment
    return center(resize_to_box(crop_to_ink(ink)))[np.newaxis]


def _varied_box(digit: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Crop to the ink, and vary its size by a fifth: float32 (h, w)."""
    box = crop_to_ink(digit.astype(np.float32)).astype(np.uint8)
    width, height = (max(2, round(side * rng.uniform(0.85, 1.2))) for side in reversed(box.shape))
    return np.asarray(Image.fromarray(box).resize((width, height), Image.Resampling.BILINEAR), np.float32)
