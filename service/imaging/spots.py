"""Find spots of a large image that may be a digit too small to be read in it."""

import numpy as np
from numpy.typing import NDArray

from service.imaging.local_ink import local_inks
from service.imaging.normalize import Box
from service.imaging.prominent import prominent_digits

MAX_SPOTS = 3
"""Spots of each polarity that are decoded again."""

SPOT_WINDOWS = (1 / 20,)
"""Window of the local background of spots, as a share of the image's longer side."""

MAX_SPOT_SIDE = 0.15
"""Longer side of a spot, as a share of the image's longer side."""


def find_spots(gray: NDArray[np.uint8]) -> list[Box]:
    """Find the most prominent spots of a large image, uint8 (H, W), that may be a digit too small to be read in it."""
    spots = [digit.box for ink in local_inks(gray, SPOT_WINDOWS) for digit in prominent_digits(ink, MAX_SPOTS)]
    largest = MAX_SPOT_SIDE * max(gray.shape)
    return [box for box in spots if max(box[2:]) <= largest]
