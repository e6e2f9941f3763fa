"""What tests share: MNIST where it lies, and the real application around the real model."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from export.data import Digits, load_test
from service.app import create_app
from service.classifier import Classifier
from service.contract import Contract
from service.lifecycle import Readiness
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    folder = Path(os.environ.get("MNIST_DIR") or ROOT.parent / "shared" / "data" / "mnist")
    if not folder.is_dir():
        pytest.skip("MNIST is not here: set MNIST_DIR to the folder of its four IDX files")
    return folder


@pytest.fixture(scope="session")
def mnist_test(mnist_folder: Path) -> Digits:
    return load_test(mnist_folder)


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    settings = Settings()
    return Classifier(Contract.verify(settings.weights_dir / settings.model))


@pytest.fixture(scope="session")
def client(classifier: Classifier) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), classifier, Readiness())) as client:
        yield client
