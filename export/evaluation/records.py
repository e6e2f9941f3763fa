"""Have the service read labeled image files, one record per image."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.data.dataset import Dataset
from export.data.image_file import encode_png
from export.data.mishaps.forms import MishapImage
from export.data.own_digits import OwnDigit
from export.data.wild import WildImage
from export.progress import Progress
from service.errors import ImageError
from service.imaging.normalize import SIDE
from service.inference.classifier import Prediction
from service.inference.predictor import Predictor


@dataclass(frozen=True)
class EvalRecord:
    """One labeled image and its prediction.

    label: 0 to 9. prediction: None if the service rejected the image. image: the model's input, uint8 (28, 28),
    255 = ink; black if rejected. writer, kind and file: as in `labels.csv`; empty for MNIST.
    The kind of a mishap is its form.
    """

    label: int
    prediction: Prediction | None
    image: NDArray[np.uint8]
    writer: str = ""
    kind: str = ""
    file: str = ""

    @property
    def is_correct(self) -> bool:
        """Return whether the predicted digit is the label."""
        return self.prediction is not None and self.prediction.digit == self.label

    @property
    def confidence(self) -> float:
        """Return the confidence of the prediction, in [0, 1]; 0 if the image was rejected."""
        return self.prediction.confidence if self.prediction else 0.0


def predict_mnist(predictor: Predictor, digits: Dataset) -> list[EvalRecord]:
    """Predict MNIST images, uint8 (N, 28, 28), as files."""
    rows = Progress(zip(digits.images, digits.labels, strict=True), "Reading MNIST", len(digits))
    return [_predict(predictor, encode_png(image), int(label)) for image, label in rows]


def predict_wild(predictor: Predictor, images: Iterable[WildImage]) -> list[EvalRecord]:
    """Predict wild images. An image that the service rejects counts as wrong."""
    return [_predict(predictor, wild.image_bytes, wild.label, wild.writer, wild.kind, wild.file) for wild in images]


def predict_own_digits(predictor: Predictor, digits: Iterable[OwnDigit]) -> list[EvalRecord]:
    """Predict the files of own digits."""
    return [_predict(predictor, digit.path.read_bytes(), digit.digit, file=digit.row.file) for digit in digits]


def predict_mishaps(predictor: Predictor, images: Iterable[MishapImage]) -> list[EvalRecord]:
    """Predict images of mishaps; the kind of a record is the form. A rejected image counts as wrong."""
    return [_predict(predictor, mishap.image_bytes, mishap.label, kind=mishap.form) for mishap in images]


def ood_confidences(predictor: Predictor, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Return the confidence, float64 (N,), in each image, uint8 (H, W). Outliers should get low ones, 0 if rejected."""
    return np.array([_predict(predictor, encode_png(image), label=0).confidence for image in images])


def _predict(
    predictor: Predictor, image_bytes: bytes, label: int, writer: str = "", kind: str = "", file: str = ""
) -> EvalRecord:
    """Predict one file. An image that the service rejects has no prediction."""
    try:
        reading = predictor.read(image_bytes)
    except ImageError:
        return EvalRecord(label, None, np.zeros((SIDE, SIDE), np.uint8), writer, kind, file)
    image = (reading.digit.image * 255).round().astype(np.uint8)
    return EvalRecord(label, reading.prediction, image, writer, kind, file)
