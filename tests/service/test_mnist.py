"""The served accuracy is the one that the evaluation states."""

import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from export.data.dataset import Dataset
from service.imaging.normalize import to_model_input
from service.inference.classifier import Classifier
from tests.conftest import WEIGHTS
from tests.images import png


@pytest.mark.slow
def test_accuracy_over_http_is_that_of_the_contract(
    client: TestClient, classifier: Classifier, mnist_test: Dataset
) -> None:
    """Read as many of the 10,000 MNIST test images as the evaluation states, and the model alone as the contract does.

    The two differ where a doubtful first reading was reconsidered: on few images.
    """
    images = np.stack([to_model_input(image) for image in mnist_test.images])
    batches = np.array_split(images, 50)
    expected = [prediction.digit for batch in batches for prediction in classifier.classify(batch)]
    headers = {"Content-Type": "image/png"}
    served = [
        client.post("/predict", content=png(image), headers=headers).json()["digit"] for image in mnist_test.images
    ]
    assert np.mean(np.array(served) != expected) < 0.002
    assert count_correct(expected, mnist_test) == classifier.contract.served["accuracy"]["mnist-test"]["correct"]
    evaluation = json.loads((WEIGHTS / classifier.contract.content["model"] / "evaluation.json").read_text())
    assert count_correct(served, mnist_test) == evaluation["sources"]["MNIST test"]["correct"]


def count_correct(digits: list[int], dataset: Dataset) -> int:
    return int((np.array(digits) == dataset.labels).sum())
