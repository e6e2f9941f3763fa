"""Reduce a gray image to the size that its digit is searched at."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SEARCH_SIDE = 256
"""Pixels per side that a digit is searched at."""


def reduce_gray(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Reduce an image, uint8 (H, W), to at most SEARCH_SIDE pixels per side by averaging.

    Returns the image and the integer factor by which it was reduced.
    """
    factor = -(-max(gray.shape) // SEARCH_SIDE)
    if factor == 1 or min(gray.shape) < factor:
        return gray, 1
    return np.asarray(Image.fromarray(gray).reduce(factor)), factor
