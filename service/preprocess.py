"""A grey picture becomes what the model was trained on: pure functions, array to array.

The steps are MNIST's own (LeCun et al. 1998, "Gradient-based learning applied to document
recognition", and the database's description): the digit fitted into 20 x 20, placed in 28 x 28 by its
centre of mass. An MNIST image therefore passes through all but unchanged.
"""

import numpy as np

from service.ink import INK_LEVEL, Ink, extract_ink
from service.paper import Grey

MEAN = 0.1307
STD = 0.3081

SIDE = 28
DIGIT_SIDE = 20
CENTRE = 14


def preprocess(grey: Grey) -> Ink:
    """The model's input for one picture: uint8 (H, W) to float32 (1, 28, 28), standardised.

    Raises ImageError where the picture holds no digit.
    """
    return standardise(to_canvas(grey))


def to_canvas(grey: Grey) -> Ink:
    """uint8 (H, W), any polarity, to float32 (28, 28), 0 = paper, 1 = ink. Raises ImageError on a blank."""
    return centre(fit(crop(extract_ink(grey))))


def standardise(canvas: Ink) -> Ink:
    """float32 (28, 28) in [0, 1] to float32 (1, 28, 28) with the mean and deviation of MNIST."""
    return ((canvas - np.float32(MEAN)) / np.float32(STD))[np.newaxis]


def crop(ink: Ink) -> Ink:
    """The bounding box of the ink: float32 (H, W), not blank, to float32 (h, w)."""
    outline = ink > INK_LEVEL * ink.max()
    rows, columns = (outline.any(axis=axis).nonzero()[0] for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: Ink) -> Ink:
    """Resize so that the longer side is 20: float32 (H, W), not blank, to (h, w), its strongest ink 1.

    The strength is set after the resize: a thin stroke on a large canvas fades when it shrinks.
    """
    height, width = ink.shape
    scale = DIGIT_SIDE / max(height, width)
    if scale != 1:  # an MNIST digit is not touched
        rows = resampling(height, max(1, round(height * scale)))
        columns = resampling(width, max(1, round(width * scale)))
        ink = np.asarray(rows @ ink @ columns.T, np.float32)
    return np.asarray(ink / ink.max())


def resampling(size: int, new_size: int) -> Ink:
    """The weights of a triangle filter with antialiasing, float32 (new_size, size); each row sums to 1."""
    scale = size / new_size
    centres = (np.arange(new_size) + 0.5) * scale - 0.5
    distance = np.abs(centres[:, np.newaxis] - np.arange(size))
    weights = np.maximum(0.0, 1.0 - distance / max(scale, 1.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def centre(ink: Ink) -> Ink:
    """Paste float32 (h, w), at most 20 x 20, into float32 (28, 28), centre of mass at pixel (14, 14)."""
    canvas = np.zeros((SIDE, SIDE), np.float32)
    top, left = (offset(ink.sum(axis=axis).tolist()) for axis in (1, 0))
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def offset(profile: list[float]) -> int:
    """Where a line of ink begins so that its centre of mass lies at CENTRE and all of it fits."""
    mass = sum(place * ink for place, ink in enumerate(profile)) / sum(profile)
    return min(max(round(CENTRE - mass), 0), SIDE - len(profile))
