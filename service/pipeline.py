"""The straight line of a request: bytes -> decode -> preprocess -> classifier."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from service.classifier import Classifier, Prediction
from service.decode import decode
from service.errors import RequestError
from service.preprocess import preprocess

In = TypeVar("In")
Out = TypeVar("Out")


def read_digit(picture: bytes, classifier: Classifier, max_decoded_bytes: int) -> Prediction:
    """What digit a PNG or JPEG file shows. Raises ImageError where it shows none that can be read."""
    image = preprocess(decode(picture, max_decoded_bytes))
    return classifier.classify(image[np.newaxis])[0]


def read_digits(
    pictures: Sequence[bytes | RequestError], classifier: Classifier, max_decoded_bytes: int
) -> list[Prediction | RequestError]:
    """The same for several files at once, in their order; an error stands in the place of what cannot be read.

    Step by step for all of them, and not one after the other: each step stays in the processor's caches.
    """
    seen = _each(preprocess, _each(partial(decode, max_bytes=max_decoded_bytes), pictures))
    images = [image for image in seen if not isinstance(image, RequestError)]
    answers = iter(classifier.classify(np.concatenate(images)[:, np.newaxis]) if images else [])
    return [image if isinstance(image, RequestError) else next(answers) for image in seen]


def _each(step: Callable[[In], Out], inputs: Iterable[In | RequestError]) -> list[Out | RequestError]:
    """One step for all; an error of this step or of an earlier one stays in its place."""
    return [value if isinstance(value, RequestError) else _attempt(step, value) for value in inputs]


def _attempt(step: Callable[[In], Out], value: In) -> Out | RequestError:
    try:
        return step(value)
    except RequestError as error:
        return error
