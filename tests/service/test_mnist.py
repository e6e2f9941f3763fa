"""What was measured is what is served."""

import numpy as np
from starlette.testclient import TestClient

from export.data import Digits
from service.classifier import Classifier
from service.preprocess import preprocess
from tests.pictures import png


def test_accuracy_over_http_is_the_models_own(client: TestClient, classifier: Classifier, mnist_test: Digits) -> None:
    """All 10,000 test images as PNG: each answer is the model's, and the sum is the contract's."""
    images = np.stack([preprocess(image) for image in mnist_test.images])
    own = np.array([answer.digit for batch in np.array_split(images, 50) for answer in classifier.classify(batch)])
    headers = {"Content-Type": "image/png"}
    served = np.array(
        [client.post("/predict", content=png(image), headers=headers).json()["digit"] for image in mnist_test.images]
    )
    assert np.array_equal(served, own)
    correct = int((served == mnist_test.labels).sum())
    assert classifier.contract.served["accuracy"]["mnist-test"] == {"correct": correct, "images": 10_000}
