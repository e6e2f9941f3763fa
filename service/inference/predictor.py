"""The predictor: image bytes -> decode -> preprocess -> classify."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from service.errors import RequestError
from service.imaging.decode import decode
from service.imaging.normalize import to_model_input
from service.inference.classifier import Classifier, Prediction

In = TypeVar("In")
Out = TypeVar("Out")


class Predictor:
    """Predicts the digit of PNG and JPEG files. Safe to call from several threads."""

    def __init__(self, classifier: Classifier, max_decoded_bytes: int) -> None:
        """Use this classifier. Decoding one image takes at most `max_decoded_bytes` of memory."""
        self.contract = classifier.contract
        self._classifier = classifier
        self._decode = partial(decode, max_bytes=max_decoded_bytes)

    def predict(self, image_bytes: bytes) -> Prediction:
        """Predict the digit of one file. Raises ImageError if no digit can be read from it."""
        image = to_model_input(self._decode(image_bytes))
        return self._classifier.classify(image[np.newaxis])[0]

    def predict_batch(self, files: Sequence[bytes | RequestError]) -> list[Prediction | RequestError]:
        """Predict the digits of several files in one run of the model. Returns one result per file, in order.

        A file that cannot be read gives its error as the result; a given error is passed through. Each step runs for
        all files before the next step starts, because its code then stays in the processor's caches.
        """
        images = _map_valid(to_model_input, _map_valid(self._decode, files))
        valid = [image for image in images if not isinstance(image, RequestError)]
        predictions = iter(self._classifier.classify(np.concatenate(valid)[:, np.newaxis]) if valid else [])
        return [image if isinstance(image, RequestError) else next(predictions) for image in images]


def _map_valid(step: Callable[[In], Out], inputs: Iterable[In | RequestError]) -> list[Out | RequestError]:
    """Apply a step to each input. An error of this step or of an earlier one stays at its index."""
    return [value if isinstance(value, RequestError) else _result_or_error(step, value) for value in inputs]


def _result_or_error(step: Callable[[In], Out], value: In) -> Out | RequestError:
    try:
        return step(value)
    except RequestError as error:
        return error
