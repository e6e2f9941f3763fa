"""Digits that a program cut out, resized or damaged: uint8 (28, 28) in, uint8 (H, W) out."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from export.data.mishaps import pens
from export.data.mishaps.ranges import Ranges

Digit = NDArray[np.uint8]
Image8 = NDArray[np.uint8]

FILTERS = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def tight_crop(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Cut the digit out to its bounding box, light on dark."""
    return pens.bounding_box(digit, int(rng.uniform(*ranges.crop_threshold)))


def tight_dark_crop(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Cut the digit out to its bounding box, dark on light."""
    return 255 - tight_crop(digit, rng, ranges)


def large_crop(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Cut the digit out and enlarge it, in either polarity."""
    image = Image.fromarray(tight_crop(digit, rng, ranges))
    enlarged = pens.resize(image, rng.uniform(*ranges.crop_scale), FILTERS[rng.integers(len(FILTERS))])
    return _either_polarity(np.asarray(enlarged), rng)


def photo_crop(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Cut a digit out of a photo, with a margin of at most three pixels on each side."""
    ink = pens.enlarge(digit, int(rng.uniform(*ranges.digit_height)), rng.uniform(0.3, 0.6))
    ink = np.pad(ink, rng.integers(0, 4, (2, 2)))
    paper = rng.uniform(130, 240) + rng.normal(0, rng.uniform(1, 5), ink.shape)
    y, x = np.mgrid[-1 : 1 : ink.shape[0] * 1j, -1 : 1 : ink.shape[1] * 1j]
    paper += rng.normal(0, 12) * x + rng.normal(0, 12) * y
    return to_bytes(paper + (rng.uniform(20, 80) - paper) * ink)


def stretched_crop(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Cut the digit out and stretch it to a square, in either polarity."""
    side = int(rng.uniform(*ranges.square_side))
    crop = Image.fromarray(tight_crop(digit, rng, ranges))
    return _either_polarity(np.asarray(crop.resize((side, side), FILTERS[rng.integers(1, len(FILTERS))])), rng)


def small_drawing(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Draw the digit small on a 28 x 28 canvas, as a paint program does with a pixel pen or a soft one."""
    side = int(rng.uniform(*ranges.small_side))
    ink = pens.draw_pixels(digit, side) if rng.random() < 0.5 else pens.reduce(digit, side)
    height, width = ink.shape
    top, left = rng.integers(1, digit.shape[0] - height), rng.integers(1, digit.shape[1] - width)
    canvas = np.zeros(digit.shape)
    canvas[top : top + height, left : left + width] = ink
    return _either_polarity(to_bytes(255 * canvas), rng)


def impulse_noise(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Set random pixels of a 28 x 28 image to black or white."""
    return _add_impulses(digit, rng.uniform(*ranges.impulse_share), rng)


def large_impulse_noise(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Set random pixels of a drawing to black or white."""
    return _add_impulses(to_bytes(_drawing(digit, rng, ranges)), rng.uniform(*ranges.impulse_share), rng)


def gaussian_noise(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Add Gaussian noise to a drawing, or to the 28 x 28 image itself."""
    gray = digit.astype(float) if rng.random() < 0.5 else _drawing(digit, rng, ranges)
    return to_bytes(gray + rng.normal(0, rng.uniform(*ranges.noise), gray.shape))


def edge_stripes(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Paint a stripe of one gray along one or two edges of a 28 x 28 image or of a drawing."""
    gray = digit.copy() if rng.random() < 0.5 else to_bytes(_drawing(digit, rng, ranges))
    level = rng.choice([0, 255, int(rng.uniform(60, 200))])
    turns = int(rng.integers(4))
    for quarter in (turns, turns + int(rng.integers(1, 4)))[: int(rng.integers(1, 3))]:
        view = np.rot90(gray, quarter)
        share = min(rng.uniform(*ranges.stripe), 0.12 if len(gray) == 28 else 1)  # a 28 x 28 digit fills the rest
        view[:, : max(1, round(share * view.shape[1]))] = level
    return gray


def inverted_edges(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Invert a stripe along one edge, or along two opposite ones."""
    gray = digit.copy() if rng.random() < 0.5 else to_bytes(_drawing(digit, rng, ranges))
    view = np.rot90(gray, int(rng.integers(4)))
    width = max(1, round(rng.uniform(*ranges.stripe) * view.shape[1]))
    view[:, :width] = 255 - view[:, :width]
    if rng.random() < 0.5:
        view[:, -width:] = 255 - view[:, -width:]
    return gray


def small_outline(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Draw only the edges of a 28 x 28 digit, one pixel wide."""
    del ranges
    mask = np.pad(digit > rng.uniform(80, 150), 1)
    inner = mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return ((mask[1:-1, 1:-1] & ~inner) * 255).astype(np.uint8)


def blurred(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> Image8:
    """Blur a drawing, as a camera out of focus does."""
    gray = _drawing(digit, rng, ranges)
    radius = rng.uniform(*ranges.blur) * rng.uniform(*ranges.digit_height)
    return np.asarray(Image.fromarray(to_bytes(gray)).filter(ImageFilter.GaussianBlur(radius)))


def to_bytes(gray: NDArray[np.float64]) -> Image8:
    """Round gray levels to uint8."""
    return np.clip(np.round(gray), 0, 255).astype(np.uint8)


def _drawing(digit: Digit, rng: np.random.Generator, ranges: Ranges) -> NDArray[np.float64]:
    """Draw the digit with a wide margin, black on white or the reverse: float64 (H, W), 0 to 255."""
    ink = pens.enlarge(digit, int(rng.uniform(*ranges.digit_height)))
    height = round(len(ink) * rng.uniform(1.4, 2))
    page = np.zeros((height, max(height, ink.shape[1] + 20)))
    top, left = (page.shape[0] - ink.shape[0]) // 2, (page.shape[1] - ink.shape[1]) // 2
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink * 255
    return page if rng.random() < 0.3 else 255 - page


def _add_impulses(gray: Image8, share: float, rng: np.random.Generator) -> Image8:
    """Turn this share of the pixels black or white."""
    hit = rng.random(gray.shape) < share
    return np.where(hit, rng.choice(np.array([0, 255], np.uint8), gray.shape), gray)


def _either_polarity(pixels: Image8, rng: np.random.Generator) -> Image8:
    """Invert the image in half of the cases."""
    return pixels if rng.random() < 0.5 else 255 - pixels
