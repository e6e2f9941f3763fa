"""Records hold what the service predicts for labeled images."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from examples.draw import EXAMPLES
from export.data.dataset import Dataset
from export.data.mishaps.forms import MishapImage
from export.data.own_digits import load_own_digits
from export.data.wild import MAX_DECODED_BYTES, load_wild
from export.evaluation.metrics import mishap_metrics
from export.evaluation.records import (
    ood_confidences,
    predict_mishaps,
    predict_mnist,
    predict_own_digits,
    predict_wild,
)
from service.inference.classifier import Classifier
from service.inference.predictor import Predictor
from tests.conftest import ROOT
from tests.images import SEVEN, encode
from tests.own_digits import write_folder


@pytest.fixture(scope="module")
def predictor(classifier: Classifier) -> Predictor:
    return Predictor(classifier, MAX_DECODED_BYTES)


def test_mnist_is_predicted_as_the_service_does(predictor: Predictor, mnist_test: Dataset) -> None:
    """Keeps label and image, and predicts nearly all of 200 images right."""
    digits = mnist_test.take(np.arange(200))
    records = predict_mnist(predictor, digits)
    assert [record.label for record in records] == digits.labels.tolist()
    assert (
        np.mean(
            [
                np.abs(record.image - image.astype(int)).max() < 26
                for record, image in zip(records, digits.images, strict=True)
            ]
        )
        > 0.9
    )
    assert sum(record.is_correct for record in records) >= 198


def test_a_wrong_label_is_counted(predictor: Predictor, mnist_test: Dataset) -> None:
    """Finds the one of 200 labels that is not the prediction."""
    digits = mnist_test.take(np.arange(200))
    predictions = [record.prediction for record in predict_mnist(predictor, digits)]
    labels = np.array([prediction.digit for prediction in predictions if prediction])
    labels[0] = (labels[0] + 1) % 10
    records = predict_mnist(predictor, Dataset(digits.images, labels))
    assert [record.is_correct for record in records] == [False] + [True] * 199


def test_wild_images_are_predicted_as_the_service_does(predictor: Predictor, tmp_path: Path) -> None:
    """Gives the service's own predictions for the examples, and none for a file that it rejects."""
    rows = ["file,label,writer,kind"]
    for example in EXAMPLES:
        shutil.copy(ROOT / "examples" / example.name, tmp_path)
        rows.append(f"{example.name},{example.digit},w1,paint")
    (tmp_path / "text.png").write_text("seven")
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "text.png,7,w2,scan"]) + "\n")
    *records, rejected = predict_wild(predictor, load_wild(tmp_path))
    assert all(record.is_correct for record in records)
    for record in records:
        assert record.prediction == predictor.predict((tmp_path / record.file).read_bytes())
    assert (rejected.prediction, rejected.confidence, rejected.is_correct) == (None, 0, False)
    assert (rejected.writer, rejected.kind, rejected.file) == ("w2", "scan", "text.png")


def test_own_digits_are_predicted_as_the_service_does(predictor: Predictor, tmp_path: Path) -> None:
    """Gives the service's own predictions for the files, with their labels."""
    digits = load_own_digits(write_folder(tmp_path / "own", 12)).digits
    records = predict_own_digits(predictor, digits)
    assert [(record.file, record.label) for record in records] == [(digit.row.file, 7) for digit in digits]
    for record, digit in zip(records, digits, strict=True):
        assert record.prediction == predictor.predict(digit.path.read_bytes())


def test_ood_confidences_are_those_of_the_predictions(predictor: Predictor, mnist_test: Dataset) -> None:
    """Gives for digits the confidences that their records have."""
    digits = mnist_test.take(np.arange(50))
    expected = [record.confidence for record in predict_mnist(predictor, digits)]
    assert ood_confidences(predictor, digits.images).tolist() == expected


def test_mishaps_are_predicted_as_the_service_does(predictor: Predictor) -> None:
    """Keeps form and label, and counts a rejected image as an error."""
    mishaps = [MishapImage("glare", 7, encode(SEVEN)), MishapImage("glare", 7, encode(SEVEN.point(lambda _: 255)))]
    records = predict_mishaps(predictor, mishaps)
    assert [(record.kind, record.is_correct) for record in records] == [("glare", True), ("glare", False)]
    metrics = mishap_metrics(records)["glare"]
    assert (metrics["images"], metrics["accuracy"]) == (2, 0.5)
    assert metrics["confidence"] == pytest.approx(records[0].confidence / 2)
