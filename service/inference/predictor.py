"""The predictor: image bytes -> open -> decode -> find the digit -> classify -> reconsider where it is doubtful."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError, RequestError
from service.imaging.buffers import Buffer
from service.imaging.decode import EncodedImage, open_image
from service.imaging.normalize import Digit, find_digit, standardize
from service.inference.chunks import split_batch
from service.inference.classifier import Classifier, Prediction
from service.inference.contract import Contract
from service.inference.digit_or_line import read_digits
from service.inference.isolation import isolate, map_valid, release_frames
from service.inference.number import MAX_DIGITS
from service.inference.reader import reconsider
from service.inference.reading import FirstReading, Reading
from service.inference.stages import StageMetrics
from service.settings import Settings

DEFAULTS = Settings()


class Predictor:
    """Predicts the digit of PNG and JPEG files. Safe to call from several threads."""

    def __init__(self, classifier: Classifier, max_decoded_bytes: int, stages: StageMetrics | None = None) -> None:
        """Use this classifier. Decoding one image takes at most `max_decoded_bytes` of memory."""
        self.stages = stages or StageMetrics()
        self._classifier = classifier
        self._open = partial(open_image, max_bytes=max_decoded_bytes)

    @classmethod
    def load(
        cls,
        model: str = DEFAULTS.model,
        weights_dir: Path | str = DEFAULTS.weights_dir,
        max_decoded_bytes: int = DEFAULTS.max_decoded_bytes,
    ) -> "Predictor":
        """Verify and load a model, by default the one that the service serves by default: a tenth of a second.

        Raises ModelError if `weights_dir` holds no such model or its files differ from its contract.
        """
        return cls(Classifier(Contract.verify(Path(weights_dir) / model)), max_decoded_bytes)

    def predict(self, image_bytes: Buffer) -> Prediction:
        """Predict the digit of one file, as a program without a server does.

        Raises ImageError if no digit can be read from it.
        """
        return self.read(image_bytes).prediction

    def read(self, image_bytes: Buffer) -> Reading:
        """Predict the digit of one file, and say what the network saw and where. Raises ImageError as `predict`."""
        return self.finish(self.begin(self.open(image_bytes)))

    def predict_batch(self, files: Sequence[Buffer | RequestError]) -> list[Prediction | RequestError]:
        """Predict the digits of several files, as a program without a server does.

        Returns one result per file, in order. A file that cannot be read gives its error as the result; a given
        error is passed through.
        """
        return self.predict_opened_batch(self.open_batch(files))

    def open(self, image_bytes: Buffer) -> EncodedImage:
        """Read the headers of one file, which tell what decoding costs.

        Raises ImageError if it is not an image, and TypeError if it is not bytes, for example a path.
        """
        _check_type(image_bytes)
        return isolate(self._open, image_bytes)

    def open_batch(self, files: Sequence[Buffer | RequestError]) -> list[EncodedImage | RequestError]:
        """Open several files, as `predict_batch` does. Raises TypeError if one is not bytes."""
        for file in files:
            if not isinstance(file, RequestError):
                _check_type(file)
        return map_valid(self._open, files)

    def predict_opened_batch(self, images: Sequence[EncodedImage | RequestError]) -> list[Prediction | RequestError]:
        """Predict the digits of several opened files, as `predict_batch` does."""
        return [
            reading if isinstance(reading, RequestError) else reading.prediction
            for chunk in split_batch(images)
            for reading in self.read_batch(chunk)
        ]

    def read_batch(self, images: Sequence[EncodedImage | RequestError]) -> list[Reading | RequestError]:
        """Read several opened files, the first time in one run of the model. Returns one result for each, in order."""
        return map_valid(self._settle, self.begin_batch(images))

    def begin(self, image: EncodedImage) -> FirstReading:
        """Read one opened file for the first time: a few milliseconds at most if it is cheap to decode.

        Raises ImageError if it cannot be decoded.
        """
        laps = self.stages.start(images=1)
        gray = isolate(EncodedImage.decode, image)
        laps.end("decode")
        digit = isolate(_find_digit, gray)
        laps.end("preprocess")
        if isinstance(digit, ImageError):
            return FirstReading(gray, image, error=digit)
        prediction = self._classifier.classify(standardize(digit.image)[np.newaxis])[0]
        laps.end("inference")
        self.stages.observe_batch(images=1)
        return FirstReading(gray, image, digit, prediction)

    def begin_batch(self, images: Sequence[EncodedImage | RequestError]) -> list[FirstReading | RequestError]:
        """Read several opened files for the first time, in one run of the model. Returns one result for each, in order.

        All are decoded, then all preprocessed: the code of each step stays in the processor's caches.
        """
        laps = self.stages.start(len(images))
        grays = map_valid(EncodedImage.decode, images)
        laps.end("decode")
        digits = map_valid(_find_digit, grays)
        laps.end("preprocess")
        predictions = iter(self._classify([digit for digit in digits if isinstance(digit, Digit)]))
        return [
            _first_reading(image, gray, digit, next(predictions) if isinstance(digit, Digit) else None)
            for image, gray, digit in zip(images, grays, digits, strict=True)
        ]

    def finish(self, first: FirstReading) -> Reading:
        """Read the alternatives of a first reading if it is doubtful: some tens of milliseconds.

        Raises ImageError if the image shows no digit.
        """
        return isolate(self._settle, first)

    def read_number(self, image: EncodedImage) -> list[Reading]:
        """Read the digits of one opened file from left to right: one as `read` does, or those of a line.

        Raises ImageError if there is none, or if there are more than MAX_DIGITS.
        """
        first = self.begin(image)
        readings = isolate(partial(read_digits, settle=self._settle, classify=self._classifier.classify), first)
        if len(readings) > MAX_DIGITS:
            raise ImageError(f"it shows more than {MAX_DIGITS} digits. Send an image of one line of digits.")
        return [first.with_reading(reading) for reading in readings]

    def classify(self, images: NDArray[np.float32]) -> list[Prediction]:
        """Classify float32 (N, 1, 28, 28), standardized, N > 0, in one run of the model."""
        laps = self.stages.start(len(images))
        predictions = self._classifier.classify(images)
        laps.end("inference")
        self.stages.observe_batch(len(images))
        return predictions

    def _classify(self, digits: list[Digit]) -> list[Prediction]:
        return self.classify(np.stack([standardize(digit.image) for digit in digits])) if digits else []

    def _settle(self, first: FirstReading) -> Reading:
        if not first.is_doubtful:
            return first.settle()
        laps = self.stages.start(images=1)
        reading = reconsider(first, self._classifier.classify)
        laps.end("alternatives")
        return reading


def _check_type(image_bytes: object) -> None:
    """Raise TypeError unless it is bytes or a bytearray: the mistake is in the calling program, not in an image."""
    if not isinstance(image_bytes, bytes | bytearray):
        raise TypeError(
            f"{type(image_bytes).__name__} is not the bytes of a file. Read it first: Path(name).read_bytes()."
        )


def _find_digit(gray: NDArray[np.uint8]) -> Digit | ImageError:
    """Find the digit, or return why there is none: alternatives may still find it."""
    try:
        return find_digit(gray)
    except ImageError as error:
        return release_frames(error)


def _first_reading(
    image: EncodedImage | RequestError,
    gray: NDArray[np.uint8] | RequestError,
    digit: Digit | RequestError,
    prediction: Prediction | None,
) -> FirstReading | RequestError:
    if isinstance(image, RequestError) or isinstance(gray, RequestError):
        return image if isinstance(image, RequestError) else gray  # type: ignore[return-value]
    if isinstance(digit, Digit):
        return FirstReading(gray, image, digit, prediction)
    return FirstReading(gray, image, error=digit) if isinstance(digit, ImageError) else digit
