"""The predictor: image bytes -> open -> decode -> preprocess -> classify."""

import hashlib
import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError, RequestError
from service.imaging.buffers import Buffer
from service.imaging.decode import EncodedImage, open_image
from service.imaging.normalize import to_model_input
from service.inference.classifier import Classifier, Prediction
from service.inference.stages import StageMetrics

In = TypeVar("In")
Out = TypeVar("Out")

CHUNK_SIZE = 32
CHUNK_BYTES = 10_000_000
"""Images, and bytes of decoding, of a batch that are decoded before they are preprocessed: at most a tenth of a second
for several images. It bounds the memory of a large batch."""

ModelInput = NDArray[np.float32]

log = logging.getLogger("uvicorn.error")


class Predictor:
    """Predicts the digit of PNG and JPEG files. Safe to call from several threads."""

    def __init__(self, classifier: Classifier, max_decoded_bytes: int, stages: StageMetrics | None = None) -> None:
        """Use this classifier. Decoding one image takes at most `max_decoded_bytes` of memory."""
        self.stages = stages or StageMetrics()
        self.contract = classifier.contract
        self._classifier = classifier
        self._open = partial(open_image, max_bytes=max_decoded_bytes)

    def predict(self, image_bytes: Buffer) -> Prediction:
        """Predict the digit of one file. Raises ImageError if no digit can be read from it."""
        return self.predict_opened(self.open(image_bytes))

    def predict_batch(self, files: Sequence[Buffer | RequestError]) -> list[Prediction | RequestError]:
        """Predict the digits of several files in one run of the model. Returns one result per file, in order.

        A file that cannot be read gives its error as the result; a given error is passed through.
        """
        return self.predict_opened_batch(self.open_batch(files))

    def open(self, image_bytes: Buffer) -> EncodedImage:
        """Read the headers of one file, which tell what decoding costs. Raises ImageError if it is not an image."""
        return _isolate(self._open, image_bytes)

    def open_batch(self, files: Sequence[Buffer | RequestError]) -> list[EncodedImage | RequestError]:
        """Open several files, as `predict_batch` does."""
        return _map_valid(self._open, files)

    def predict_opened(self, image: EncodedImage) -> Prediction:
        """Predict the digit of one opened file. Raises ImageError if no digit can be read from it."""
        laps = self.stages.start(images=1)
        gray = _isolate(EncodedImage.decode, image)
        laps.end("decode")
        model_input = _isolate(to_model_input, gray)
        laps.end("preprocess")
        prediction = self._classifier.classify(model_input[np.newaxis])[0]
        laps.end("inference")
        self.stages.observe_batch(images=1)
        return prediction

    def predict_opened_batch(self, images: Sequence[EncodedImage | RequestError]) -> list[Prediction | RequestError]:
        """Predict the digits of several opened files, as `predict_batch` does."""
        return self.classify([result for chunk in split_batch(images) for result in self.preprocess(chunk)])

    def preprocess(self, images: Sequence[EncodedImage | RequestError]) -> list[ModelInput | RequestError]:
        """Decode all images, then preprocess all: the code of each step stays in the processor's caches.

        Returns float32 (1, 28, 28) or an error for each, in order.
        """
        laps = self.stages.start(len(images))
        decoded = _map_valid(EncodedImage.decode, images)
        laps.end("decode")
        model_inputs = _map_valid(to_model_input, decoded)
        laps.end("preprocess")
        return model_inputs

    def classify(self, model_inputs: Sequence[ModelInput | RequestError]) -> list[Prediction | RequestError]:
        """Classify what `preprocess` returned in one run of the model. Returns one result for each, in order."""
        valid = [image for image in model_inputs if not isinstance(image, RequestError)]
        laps = self.stages.start(len(valid))
        predictions = iter(self._classifier.classify(np.concatenate(valid)[:, np.newaxis]) if valid else [])
        if valid:
            laps.end("inference")
            self.stages.observe_batch(len(valid))
        return [image if isinstance(image, RequestError) else next(predictions) for image in model_inputs]


def split_batch(images: Sequence[EncodedImage | RequestError]) -> Iterator[list[EncodedImage | RequestError]]:
    """Split a batch into chunks of up to CHUNK_SIZE images and CHUNK_BYTES bytes of decoding, or one larger image."""
    chunk: list[EncodedImage | RequestError] = []
    size = 0
    for image in images:
        needed = decode_bytes(image)
        if chunk and (len(chunk) == CHUNK_SIZE or size + needed > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(image)
        size += needed
    if chunk:
        yield chunk


def decode_bytes(image: EncodedImage | RequestError) -> int:
    """Return the memory that decoding takes: none if the file could not be opened."""
    return 0 if isinstance(image, RequestError) else image.decode_bytes


def _map_valid(step: Callable[[In], Out], inputs: Iterable[In | RequestError]) -> list[Out | RequestError]:
    """Apply a step to each input. An error of this step or of an earlier one stays at its index."""
    return [value if isinstance(value, RequestError) else _result_or_error(step, value) for value in inputs]


def _result_or_error(step: Callable[[In], Out], value: In) -> Out | RequestError:
    try:
        return _isolate(step, value)
    except RequestError as error:
        return error


def _isolate(step: Callable[[In], Out], value: In) -> Out:
    """Apply a step to one image. Whatever it raises becomes an error of this image alone.

    An unexpected exception is a defect of this service: one log line tells its type, its place and the image. A
    traceback per request would let clients fill the log.
    """
    try:
        return step(value)
    except RequestError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = "Unexpected %s in %s:%d for image %s."
        log.error(message, type(error).__name__, place.filename, place.lineno, _fingerprint(value))  # noqa: TRY400
        raise ImageError("it could not be processed. Send it as an ordinary PNG or JPEG file.") from error


def _fingerprint(value: Any) -> str:
    """Identify an image in the log without showing it."""
    content = value.content if isinstance(value, EncodedImage) else bytes(value)
    return hashlib.sha256(content).hexdigest()[:16]
