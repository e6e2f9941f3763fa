"""Read the digit of a thin pen again with thicker strokes: those of MNIST are two to four pixels wide in 28 x 28."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.imaging import morphology
from service.imaging.normalize import place, standardize
from service.imaging.outlines import fill_strokes
from service.imaging.segment import Ink
from service.inference.classifier import Prediction
from service.inference.reading import Classify

MIN_STROKE_INK = 0.5
"""Share of the strongest ink that a stroke has."""

Image = NDArray[np.float32]


def thicken_doubtful(
    images: Sequence[Image], predictions: Sequence[Prediction], classify: Classify, min_sure: float
) -> list[Prediction]:
    """Replace doubtful predictions of thin strokes, if two ways to thicken them give the same digit.

    images: float32 (28, 28) in [0, 1], 1 = ink, one for each prediction. min_sure: a prediction with less confidence
    is doubtful. The less confident of the two counts.
    """
    result = list(predictions)
    thin = [index for index, image in enumerate(images) if result[index].confidence < min_sure and _is_thin(image)]
    if thin:
        thicker = [standardize(version) for index in thin for version in _thicken(images[index])]
        classified = classify(np.stack(thicker))
        for index, first, second in zip(thin, classified[::2], classified[1::2], strict=True):
            if first.digit == second.digit:
                result[index] = min(first, second, key=lambda prediction: prediction.confidence)
    return result


def _is_thin(image: Image) -> bool:
    """Return whether no stroke is three pixels wide."""
    return not morphology.erode(image > MIN_STROKE_INK, 3, 3).any()


def _thicken(image: Image) -> tuple[Image, Image]:
    """Draw the strokes two pixels wider, and enlarged, where thin ones grow in proportion."""
    return place(Ink(morphology.dilate(image, 3, 3))).image, place(Ink(fill_strokes(image))).image
