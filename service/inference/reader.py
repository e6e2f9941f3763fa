"""Reconsider a doubtful first reading: the network looks at several views, and decides between alternatives."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from service.imaging.alternatives import find_alternatives, find_digit_or_none
from service.imaging.decode import EncodedImage
from service.imaging.detail import Part, decode_parts
from service.imaging.normalize import MIN_REDUCED_SIDE, Box, Digit, standardize
from service.imaging.reduction import SEARCH_SIDE, reduce_gray
from service.imaging.spots import find_spots
from service.imaging.views import canvas_views
from service.inference.classifier import Prediction
from service.inference.number import shows_several
from service.inference.reading import Classify, FirstReading, Gray, Reading

MIN_FOUND = 0.9
"""Least confidence of an alternative if the first reading found no digit: an empty page must not be read."""

# Chosen on MNIST's validation images and on mishaps:
MIN_DOUBT = 1e-4  # of one prediction
AGREEMENT_SHARE = 0.1  # of the evidence of all predictions that counts
FIRST_BONUS = 2.0  # how often the evidence of the first reading counts in addition where the background is clear
PIECE = 1  # the digit that a piece of another one, or of a printed line, looks like
PIECE_WEIGHT = 0.7  # of its evidence in an alternative

# Chosen on mishaps and outliers of the training generators:
MIN_SUPPORT = 0.2  # probability from which another alternative supports a digit
UNSUPPORTED_WEIGHT = 0.3  # of a prediction without support
SUPPORT_WEIGHT = 3.0  # times the mean support: what is added to this weight

SPOT_MARGIN = 0.5
"""Margin around a small digit that is decoded again, as a share of its longer side."""

SEVERAL_WEIGHT = 0.5
"""Weight of the prediction if several digits stand side by side: it is not clear which one is meant."""


def reconsider(first: FirstReading, classify: Classify) -> Reading:
    """Read the alternatives of a doubtful first reading, and return the best. Other digits beside it raise doubt.

    Raises ImageError if the image shows no digit.
    """
    may_touch = not first.is_sure  # of 300 numbers of digits that touch or nearly do, the network was sure of none
    if not first.is_sure:
        first = _average_views(first, classify)
    reading = _read_alternatives(first, classify) if first.needs_alternatives else first.settle()
    if not first.digit or not first.digit.may_be_several:
        return reading
    if not shows_several(_reduced(first.gray, first.digit), classify, may_touch):
        return reading
    return replace(reading, prediction=_weaken(reading.prediction, SEVERAL_WEIGHT))


def _reduced(gray: Gray, digit: Digit) -> Gray:
    """Reduce an image, uint8 (H, W), if its digit stays large enough to be read."""
    reduced, factor = reduce_gray(gray)
    return reduced if max(digit.box[2:]) >= factor * MIN_REDUCED_SIDE else gray


def _average_views(first: FirstReading, classify: Classify) -> FirstReading:
    """Replace a doubtful prediction by the mean over slightly changed views of the digit."""
    if first.digit is None or first.prediction is None:
        return first
    predictions = classify(np.stack([standardize(view) for view in canvas_views(first.digit.image)]))
    mean = np.mean([prediction.probabilities for prediction in (first.prediction, *predictions)], axis=0)
    return replace(first, prediction=Prediction(int(mean.argmax()), tuple(mean.tolist())))


def _read_alternatives(first: FirstReading, classify: Classify) -> Reading:
    """Read all alternatives in one batch, and return the best one."""
    digits = find_alternatives(first.gray, first.digit)
    if first.digit is None and max(first.gray.shape) > SEARCH_SIDE:
        digits += _small_digits(first.gray, first.source)
    if not digits:
        return first.settle()
    predictions = classify(np.stack([standardize(digit.image) for digit in digits]))
    if first.digit and first.prediction:
        digits, predictions = [first.digit, *digits], [first.prediction, *predictions]
    best = _best(predictions, first)
    if first.digit is None and predictions[best].confidence < MIN_FOUND:
        return first.settle()
    if first.digit and best == 0:
        return first.settle()
    return first.with_reading(Reading(_moderate(best, predictions), digits[best]))


def _best(predictions: Sequence[Prediction], first: FirstReading) -> int:
    """Return the index of the most confident prediction of the digit with the most evidence.

    The evidence of one prediction is minus the logarithm of its doubt. For each digit the strongest counts, a share of
    all, so that two that agree outweigh one that is a little surer, and the first reading with a bonus. A 1 in an
    alternative, which may be a piece of another digit, counts less.
    """
    probabilities = np.array([prediction.probabilities for prediction in predictions])
    evidence = -np.log(np.maximum(1 - probabilities, MIN_DOUBT))
    evidence[1 if first.digit else 0 :, PIECE] *= PIECE_WEIGHT
    total = evidence.max(axis=0) + AGREEMENT_SHARE * evidence.sum(axis=0)
    if first.prediction and first.digit and not first.digit.is_ambiguous:
        digit = first.prediction.digit
        total[digit] += FIRST_BONUS * evidence[0, digit]
    is_chosen = probabilities.argmax(axis=1) == total.argmax()
    return int(np.where(is_chosen, probabilities.max(axis=1), -1).argmax())


def _moderate(best: int, predictions: Sequence[Prediction]) -> Prediction:
    """Return the best prediction, closer to uniform the less the others support it.

    Of many alternatives of a letter, one looks like a digit. Those of a digit agree.
    """
    digit = predictions[best].digit
    others = [other.probabilities[digit] for index, other in enumerate(predictions) if index != best]
    support = sum(max(0.0, share - MIN_SUPPORT) for share in others) / max(1, len(others))
    weight = min(1.0, UNSUPPORTED_WEIGHT + SUPPORT_WEIGHT * support)
    return _weaken(predictions[best], weight)


def _weaken(prediction: Prediction, weight: float) -> Prediction:
    """Mix the probabilities with uniform ones. weight: share of the prediction, 0 to 1."""
    probabilities = tuple(weight * share + (1 - weight) / 10 for share in prediction.probabilities)
    return Prediction(prediction.digit, probabilities)


def _small_digits(gray: Gray, source: EncodedImage) -> list[Digit]:
    """Decode the spots of a large image at a higher resolution, each with a margin around it."""
    height, width = gray.shape
    boxes = find_spots(gray)
    parts = decode_parts(source, [_with_margin(box, width, height) for box in boxes]) if boxes else []
    # no parts if the file turns out to be damaged
    digits = [(box, find_digit_or_none(part)) for box, part in zip(boxes, parts, strict=False)]
    return [Digit(digit.image, box) for box, digit in digits if digit]


def _with_margin(box: Box, width: int, height: int) -> Part:
    """Return a box with SPOT_MARGIN around it, as shares of width and height."""
    left, top, box_width, box_height = box
    margin = SPOT_MARGIN * max(box_width, box_height) + 1
    right, bottom = min(left + box_width + margin, width), min(top + box_height + margin, height)
    return max(0.0, left - margin) / width, max(0.0, top - margin) / height, right / width, bottom / height
