"""Normalize a digit to the 28 x 28 input that the model was trained on.

The steps are MNIST's own (LeCun et al. 1998, "Gradient-based learning applied to document recognition"): fit the digit
into 20 x 20 pixels and place its center of mass in the middle of 28 x 28. MNIST images pass through unchanged, up to
rounding.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging.reduction import reduce_gray
from service.imaging.segment import Ink, locate_digit

MEAN = 0.1307
STD = 0.3081

SIDE = 28
DIGIT_SIDE = 20
CENTER = 14

MIN_BOX_INK = 0.1
"""Share of the strongest ink. Fainter pixels do not count for the digit's bounding box."""

MIN_REDUCED_SIDE = 48
"""Pixels of the longer side of a digit that suffice to read it from a reduced image."""

MAX_SINGLE_ASPECT = 1.3
"""Width of a digit in its heights. What is wider may be several digits."""

MAX_CACHED_WEIGHTS = 64
MAX_CACHED_SIZE = 320
"""Weights of the filters that resized the last digits are kept, for sizes up to this: at most 1.6 MB."""

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels."""


@dataclass(frozen=True)
class Digit:
    """A digit that was found in an image, normalized.

    image: float32 (28, 28) in [0, 1], 1 = ink. box: where it is in the image that was searched. may_be_several: it is
    wide, or something as large stands beside it. is_ambiguous: the image's background is, and so its ink. is_enclosed:
    a circle or a box is drawn around it.
    """

    image: NDArray[np.float32]
    box: Box
    may_be_several: bool = False
    is_ambiguous: bool = False
    is_enclosed: bool = False

    def surrounds(self, other: "Digit") -> bool:
        """Return whether the box of another digit lies within this one's."""
        left, top, width, height = self.box
        inner_left, inner_top, inner_width, inner_height = other.box
        is_beside = left < inner_left and left + width > inner_left + inner_width
        return is_beside and top < inner_top and top + height > inner_top + inner_height

    def scale_box(self, factor: float) -> "Digit":
        """Return the same digit with its box in an image of `factor` times the size."""
        left, top, width, height = self.box
        return replace(self, box=(factor * left, factor * top, factor * width, factor * height))


def to_model_input(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert an image, uint8 (H, W), to the model's input, float32 (1, 28, 28), standardized.

    Raises ImageError if the image holds no digit.
    """
    return standardize(normalize_digit(gray))


def normalize_digit(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert an image, uint8 (H, W), of any polarity, to float32 (28, 28) in [0, 1], 1 = ink.

    Raises ImageError if the image holds no digit.
    """
    return find_digit(gray).image


def find_digit(gray: NDArray[np.uint8]) -> Digit:
    """Find the digit of an image, uint8 (H, W), of any polarity, and normalize it.

    A large image is searched reduced first: that takes a fraction of the time, and is enough for a large digit.
    Raises ImageError if the image holds no digit.
    """
    reduced, factor = reduce_gray(gray)
    digit = _find_large_digit(reduced) if factor > 1 else None
    return digit.scale_box(factor) if digit else place(locate_digit(gray))


def _find_large_digit(gray: NDArray[np.uint8]) -> Digit | None:
    """Find the digit of a reduced image, uint8 (H, W). None if there is none, or if it is too small to be read here."""
    try:
        digit = place(locate_digit(gray))
    except ImageError:
        return None
    return digit if max(digit.box[2:]) >= MIN_REDUCED_SIDE else None


def place(ink: Ink) -> Digit:
    """Normalize the ink of a digit, which must not be blank."""
    top, bottom, left, right = ink_bounds(ink.pixels)
    image = center(resize_to_box(ink.pixels[top:bottom, left:right]))
    width, height = right - left, bottom - top
    may_be_several = ink.has_neighbors or width > MAX_SINGLE_ASPECT * height
    box = (ink.left + left, ink.top + top, width, height)
    return Digit(image, box, may_be_several, ink.is_ambiguous, ink.is_enclosed)


def standardize(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standardize float32 (28, 28) in [0, 1] to float32 (1, 28, 28) with MNIST's mean and standard deviation."""
    return ((image - np.float32(MEAN)) / np.float32(STD))[np.newaxis]


def crop_to_ink(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Crop to the bounding box of the ink: float32 (H, W), not blank, to float32 (h, w)."""
    top, bottom, left, right = ink_bounds(ink)
    return ink[top:bottom, left:right]


def ink_bounds(ink: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of the ink, float32 (H, W) and not blank, with exclusive ends."""
    outline = ink > MIN_BOX_INK * ink.max()
    rows, columns = (outline.any(axis=axis).nonzero()[0] for axis in (1, 0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def resize_to_box(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Resize to fit 20 x 20: float32 (H, W), not blank, to (h, w) in [0, 1], longer side 20, maximum 1.

    The maximum is set after the resize, because a thin stroke on a large image fades when it shrinks.
    """
    height, width = ink.shape
    scale = DIGIT_SIDE / max(height, width)
    if scale != 1:  # an MNIST digit keeps its pixels
        rows = resampling_weights(height, max(1, round(height * scale)))
        columns = resampling_weights(width, max(1, round(width * scale)))
        ink = np.asarray(rows @ ink @ columns.T, np.float32)
    return np.asarray(ink / ink.max())


def resampling_weights(size: int, new_size: int) -> NDArray[np.float32]:
    """Return the weights of a resize along one axis, float32 (new_size, size), read-only. Each row sums to 1.

    Reduces with an antialiased triangle filter, and enlarges by pixel area: a new pixel is the mean of what it covers.
    A triangle would blur a small digit: of 4,000 MNIST validation digits drawn 9 to 15 pixels high or wide on 28 x 28,
    the first reading then gets 150 wrong and is below 0.9 for 1,044; this way, 118 and 540.
    """
    compute = _cached_weights if size <= MAX_CACHED_SIZE else _compute_weights
    return compute(size, new_size)


def _compute_weights(size: int, new_size: int) -> NDArray[np.float32]:
    scale = size / new_size
    centers = (np.arange(new_size) + 0.5) * scale - 0.5
    distance = np.abs(centers[:, np.newaxis] - np.arange(size))
    shares = np.maximum(0.0, 1.0 - distance / scale) if scale >= 1 else _covered_shares(distance, scale)
    weights = np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)
    weights.setflags(write=False)
    return weights


def _covered_shares(distance: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return the share of each new pixel, `width` wide, in each pixel, 1 wide, by the distance of their centers."""
    return np.clip(((1 + width) / 2 - distance) / width, 0.0, 1.0)


_cached_weights = lru_cache(MAX_CACHED_WEIGHTS)(_compute_weights)


def center(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Paste float32 (h, w), at most 20 x 20, into float32 (28, 28), center of mass at pixel (14, 14)."""
    image = np.zeros((SIDE, SIDE), np.float32)
    top, left = (center_offset(ink.sum(axis=axis).tolist()) for axis in (1, 0))
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return image


def center_offset(profile: list[float]) -> int:
    """Return the start index in [0, 28 - len(profile)] that puts the profile's center of mass nearest to CENTER."""
    mean = sum(index * ink for index, ink in enumerate(profile)) / sum(profile)
    return min(max(round(CENTER - mean), 0), SIDE - len(profile))
