"""The served accuracy is the one that the evaluation states."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from export.data.dataset import Dataset
from service.imaging.normalize import to_model_input
from service.inference.classifier import Classifier
from tests.conftest import WEIGHTS
from tests.images import png
from tests.service.process.connection import Connection, post_head
from tests.service.process.running_service import running_service


@pytest.mark.slow
def test_accuracy_over_http_is_that_of_the_contract(
    tmp_path: Path, classifier: Classifier, mnist_test: Dataset
) -> None:
    """Read as many of the 10,000 MNIST test images as the evaluation states, and the model alone as the contract does.

    The two differ where a doubtful first reading was reconsidered: on few images.
    """
    images = np.stack([to_model_input(image) for image in mnist_test.images])
    batches = np.array_split(images, 50)
    expected = [prediction.digit for batch in batches for prediction in classifier.classify(batch)]
    served = read_all(tmp_path / "log", mnist_test)
    assert np.mean(np.array(served) != expected) < 0.002
    assert count_correct(expected, mnist_test) == classifier.contract.served["accuracy"]["mnist-test"]["correct"]
    evaluation = json.loads((WEIGHTS / classifier.contract.content["model"] / "evaluation.json").read_text())
    assert count_correct(served, mnist_test) == evaluation["sources"]["MNIST test"]["correct"]


def read_all(log: Path, dataset: Dataset) -> list[int]:
    """Send each image as a PNG file to a running service, and return the digits."""
    files = [png(image) for image in dataset.images]
    with running_service(log, stdout=subprocess.DEVNULL) as service, Connection(service.port) as connection:
        return [connection.ask(post_head(len(file)) + file).content["digit"] for file in files]


def count_correct(digits: list[int], dataset: Dataset) -> int:
    return int((np.array(digits) == dataset.labels).sum())
