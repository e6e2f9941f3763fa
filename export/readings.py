"""What the served model answers: for MNIST's test set, for people's own pictures, and for what is no digit."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.data import Digits
from export.errors import DataError
from export.parity import batches
from export.scenes import Canvases
from service.classifier import Classifier, Prediction
from service.decode import decode
from service.errors import ImageError
from service.ink import Ink
from service.preprocess import SIDE, preprocess, standardise, to_canvas
from service.settings import Settings

BATCH = 100
MAX_DECODED_BYTES = Settings().max_decoded_bytes


@dataclass(frozen=True)
class Reading:
    """One picture: what it shows, what the service answered (None: refused), and who made it and how."""

    label: int
    answer: Prediction | None
    canvas: NDArray[np.uint8]  # (28, 28), 255 = ink: what the model saw
    writer: str = ""
    kind: str = ""
    file: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer is the label."""
        return self.answer is not None and self.answer.digit == self.label

    @property
    def confidence(self) -> float:
        """The answer's; 0 where the picture was refused."""
        return self.answer.confidence if self.answer else 0.0


def read_mnist(classifier: Classifier, digits: Digits) -> list[Reading]:
    """What the service would answer for each image."""
    answers = _answers(classifier, np.stack([preprocess(image) for image in digits.images]))
    rows = zip(digits.labels, answers, digits.images, strict=True)
    return [Reading(int(label), answer, image) for label, answer, image in rows]


def read_pictures(classifier: Classifier, folder: Path) -> list[Reading]:
    """The same for a folder of pictures with a `labels.csv`: file, label, writer, kind."""
    return [_read(classifier, row, canvas) for row, canvas in see(folder)]


def see(folder: Path) -> list[tuple[dict[str, str], Ink | None]]:
    """Each picture's row of `labels.csv`, and its canvas, float32 (28, 28) in [0, 1]; None where it is refused."""
    try:
        with (folder / "labels.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"{folder / 'labels.csv'} cannot be read ({error.strerror}). Set WILD_DIR.") from error
    return [(row, _canvas((folder / row["file"]).read_bytes())) for row in rows]


def doubts(classifier: Classifier, canvases: Canvases) -> NDArray[np.float64]:
    """The confidence, float64 (N,), in each of some canvases, float32 (N, 1, 28, 28) in [0, 1]."""
    return np.array([answer.confidence for answer in _answers(classifier, standardise(canvases)[0])])


def _answers(classifier: Classifier, images: NDArray[np.float32]) -> list[Prediction]:
    return [answer for batch in batches(images, BATCH) for answer in classifier.classify(batch)]


def _canvas(picture: bytes) -> Ink | None:
    try:
        return to_canvas(decode(picture, MAX_DECODED_BYTES))
    except ImageError:
        return None


def _read(classifier: Classifier, row: Mapping[str, str], canvas: Ink | None) -> Reading:
    label, about = int(row["label"]), {name: row[name] for name in ("writer", "kind", "file")}
    if canvas is None:
        return Reading(label, None, np.zeros((SIDE, SIDE), np.uint8), **about)
    answer = classifier.classify(standardise(canvas)[np.newaxis])[0]
    return Reading(label, answer, (canvas * 255).astype(np.uint8), **about)
