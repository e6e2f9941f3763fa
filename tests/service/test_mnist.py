"""The served accuracy is the accuracy that the contract states."""

import numpy as np
import pytest
from starlette.testclient import TestClient

from export.data.dataset import Dataset
from service.imaging.normalize import to_model_input
from service.inference.classifier import Classifier
from tests.images import png


@pytest.mark.slow
def test_accuracy_over_http_is_that_of_the_contract(
    client: TestClient, classifier: Classifier, mnist_test: Dataset
) -> None:
    """Respond to each of the 10,000 MNIST test images with the model's own prediction, as many correct as stated."""
    images = np.stack([to_model_input(image) for image in mnist_test.images])
    batches = np.array_split(images, 50)
    expected = [prediction.digit for batch in batches for prediction in classifier.classify(batch)]
    headers = {"Content-Type": "image/png"}
    served = [
        client.post("/predict", content=png(image), headers=headers).json()["digit"] for image in mnist_test.images
    ]
    assert served == expected
    correct = int((np.array(served) == mnist_test.labels).sum())
    assert classifier.contract.served["accuracy"]["mnist-test"] == {"correct": correct, "images": 10_000}
