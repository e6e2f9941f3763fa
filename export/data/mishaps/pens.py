"""Draw an MNIST digit at any size, as different pens do: float64 (h, w) in [0, 1], 1 = ink."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.imaging.normalize import crop_to_ink

Ink = NDArray[np.float64]

MARGIN = 4
"""Pixels around the digit while it is enlarged, so that the filter fades out."""


def bounding_box(digit: NDArray[np.uint8], threshold: int) -> NDArray[np.uint8]:
    """Crop a digit, uint8 (28, 28), to the box of its pixels above a threshold, as `findContours` does."""
    mask = digit > threshold
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def enlarge(digit: NDArray[np.uint8], height: int, weight: float = 0.45) -> Ink:
    """Enlarge a digit, uint8 (28, 28), to this height, sharp and without margin: float64 (height, w).

    weight: the level, 0 to 1, at which ink begins; lower is a thicker pen.
    """
    cropped = np.pad(bounding_box(digit, 40), MARGIN)
    scale = height / (cropped.shape[0] - 2 * MARGIN)
    large = np.asarray(resize(Image.fromarray(cropped), scale, Image.Resampling.BICUBIC), np.float32) / 255
    if scale > 1.3:
        large = np.clip((large - weight) * max(2.0, scale) + 0.5, 0, 1)
    return np.asarray(crop_to_ink(np.asarray(np.clip(large, 0, 1), np.float32)), np.float64)


def resize(image: Image.Image, scale: float, resampling: Image.Resampling) -> Image.Image:
    """Resize both sides of an image by a factor, to at least one pixel."""
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, resampling)


def rotate(ink: Ink, degrees: float) -> Ink:
    """Turn ink counterclockwise and crop it again."""
    turned = Image.fromarray((ink * 255).astype(np.uint8)).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    return np.asarray(crop_to_ink(np.asarray(turned, np.float32) / np.float32(255)), np.float64)


def dilate(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Thicken a mask, bool (H, W), by a disk: bool (H + 2 radius, W + 2 radius)."""
    padded = np.pad(mask, 2 * radius)
    result = np.zeros((mask.shape[0] + 2 * radius, mask.shape[1] + 2 * radius), bool)
    for down in range(-radius, radius + 1):
        reach = int(np.sqrt(radius * radius - down * down))
        for across in range(-reach, reach + 1):
            top, left = radius + down, radius + across
            result |= padded[top : top + result.shape[0], left : left + result.shape[1]]
    return result


def outline(ink: Ink, width: int) -> Ink:
    """Keep the edges of the strokes alone, a line of this width in pixels around them."""
    mask = ink > 0.5
    grown = dilate(mask, width)
    return np.asarray(grown & ~np.pad(mask, width), np.float64)


def thin(ink: Ink) -> Ink:
    """Thin strokes to lines one pixel wide (Zhang and Suen 1984)."""
    image = np.pad(ink > 0.5, 1)
    while True:
        changed = False
        for phase in (0, 1):
            removable = _removable(image, phase)
            image[1:-1, 1:-1] &= ~removable
            changed |= bool(removable.any())
        if not changed:
            return np.asarray(crop_to_ink(image[1:-1, 1:-1].astype(np.float32)), np.float64)


def draw_pixels(digit: NDArray[np.uint8], side: int) -> Ink:
    """Draw a digit, uint8 (28, 28), with a pen one pixel wide and without soft edges. Its longer side is `side`."""
    pixels = np.argwhere(thin(np.asarray(bounding_box(digit, 100) / 255, np.float64)))
    rows, columns = np.rint(pixels * ((side - 1) / pixels.max())).astype(int).T
    ink = np.zeros((rows.max() + 1, columns.max() + 1))
    ink[rows, columns] = 1
    return ink


def reduce(digit: NDArray[np.uint8], side: int) -> Ink:
    """Reduce a digit, uint8 (28, 28), with soft edges. Its longer side is `side`."""
    cropped = Image.fromarray(bounding_box(digit, 40))
    return np.asarray(resize(cropped, side / max(cropped.size), Image.Resampling.BOX), np.float64) / 255


def _removable(image: NDArray[np.bool_], phase: int) -> NDArray[np.bool_]:
    """Find the contour pixels that one of the two phases of thinning removes."""
    north, east, south, west = image[:-2, 1:-1], image[1:-1, 2:], image[2:, 1:-1], image[1:-1, :-2]
    ring = [north, image[:-2, 2:], east, image[2:, 2:], south, image[2:, :-2], west, image[:-2, :-2]]
    neighbors = np.sum(ring, axis=0)
    crossings = np.sum([~a & b for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)], axis=0)
    first, second = (
        ((north, east, south), (east, south, west)) if not phase else ((north, east, west), (north, south, west))
    )
    open_sides = ~(first[0] & first[1] & first[2]) & ~(second[0] & second[1] & second[2])
    return np.asarray(image[1:-1, 1:-1] & (neighbors >= 2) & (neighbors <= 6) & (crossings == 1) & open_sides)
