"""Reduce a drawing: it is read from far fewer pixels than a photo."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DRAWING_SIDE = 93
"""Pixels that suffice per side of a drawing if one gray surrounds it."""

MIN_INK_SIDE = 48
"""Pixels that suffice for the longer side of the box around its ink."""

MIN_LINE_HEIGHT = 24
"""Pixels that suffice for the shorter side of that box, which is the height of the digits in a line."""

MIN_INK_DIFFERENCE = 16
"""Gray levels between the border of a drawing and its ink."""


def reduce_drawing(gray: Image.Image) -> Image.Image:
    """Reduce a drawing further, mode L, if its border has one gray and its ink stays large enough.

    A photo is not: a small digit on its page needs all pixels.
    """
    factor = math.isqrt(gray.width * gray.height) // DRAWING_SIDE
    if factor < 2:
        return gray
    pixels = np.asarray(gray)
    level = int(pixels[0, 0])
    if not all((side == level).all() for side in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])):
        return gray
    shorter, longer = sorted(_ink_sides(pixels, level))
    factor = min(factor, longer // MIN_INK_SIDE, shorter // MIN_LINE_HEIGHT)
    return gray.reduce(factor) if factor > 1 else gray


def _ink_sides(pixels: NDArray[np.uint8], level: int) -> tuple[int, int]:
    """Return height and width of the box around the pixels, uint8 (H, W), that differ from a gray level."""
    ink = pixels > level + MIN_INK_DIFFERENCE if level < 128 else pixels < level - MIN_INK_DIFFERENCE
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return (int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1) if rows.size else (0, 0)
