"""Run the served model on labeled images, one record per image."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.data.dataset import Dataset, split_batches
from export.data.wild import WildImage
from service.imaging.normalize import SIDE, standardize, to_model_input
from service.inference.classifier import Classifier, Prediction

BATCH_SIZE = 100


@dataclass(frozen=True)
class EvalRecord:
    """One labeled image and its prediction.

    label: 0 to 9. prediction: None if the service rejected the image. image: the model's input, uint8 (28, 28),
    255 = ink; black if rejected. writer, kind and file: as in `labels.csv`; empty for MNIST.
    """

    label: int
    prediction: Prediction | None
    image: NDArray[np.uint8]
    writer: str = ""
    kind: str = ""
    file: str = ""

    @property
    def is_correct(self) -> bool:
        """Whether the predicted digit is the label."""
        return self.prediction is not None and self.prediction.digit == self.label

    @property
    def confidence(self) -> float:
        """The confidence of the prediction, in [0, 1]; 0 if the image was rejected."""
        return self.prediction.confidence if self.prediction else 0.0


def predict_mnist(classifier: Classifier, digits: Dataset) -> list[EvalRecord]:
    """Predict MNIST images, uint8 (N, 28, 28), preprocessed as the service does."""
    predictions = _classify(classifier, np.stack([to_model_input(image) for image in digits.images]))
    rows = zip(digits.labels, predictions, digits.images, strict=True)
    return [EvalRecord(int(label), prediction, image) for label, prediction, image in rows]


def predict_wild(classifier: Classifier, images: Iterable[WildImage]) -> list[EvalRecord]:
    """Predict wild images. An image that the service rejects counts as wrong."""
    return [_predict_wild_image(classifier, wild) for wild in images]


def ood_confidences(classifier: Classifier, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the confidence, float64 (N,), in each image, float32 (N, 1, 28, 28) in [0, 1]. Outliers should get low."""
    standardized = np.stack([standardize(image[0]) for image in images])
    return np.array([prediction.confidence for prediction in _classify(classifier, standardized)])


def _predict_wild_image(classifier: Classifier, wild: WildImage) -> EvalRecord:
    if wild.image is None:
        return EvalRecord(wild.label, None, np.zeros((SIDE, SIDE), np.uint8), wild.writer, wild.kind, wild.file)
    prediction = classifier.classify(standardize(wild.image)[np.newaxis])[0]
    return EvalRecord(wild.label, prediction, (wild.image * 255).astype(np.uint8), wild.writer, wild.kind, wild.file)


def _classify(classifier: Classifier, images: NDArray[np.float32]) -> list[Prediction]:
    batches = split_batches(images, BATCH_SIZE)
    return [prediction for batch in batches for prediction in classifier.classify(batch)]
