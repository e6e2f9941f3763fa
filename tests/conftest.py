"""Shared fixtures: MNIST, the real model, and the real app around it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from export.data.dataset import Dataset
from export.data.mnist import cache_folder, load_test
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.settings import Settings
from service.web.app import create_app
from service.web.readiness import Readiness
from service.web.server_state import ServerState

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "weights"

LONGEST = (
    "export/evaluation/test_evaluate.py",
    "test_soak.py",
    "export/build/test_build.py",
    "openapi/test_postman.py",
    "service/test_mnist.py",
    "service/process/test_lifecycle.py",
    "service/process/edge/test_connections.py",
    "service/inference/test_hostile_pictures.py",
    "service/web/test_hostile_uploads.py",
    "test_failover.py",
    "deploy/test_container.py",
    "test_wheel.py",
)
"""The test files that take longest, in the order in which `make test` starts them."""

MISSING_MNIST = (
    "MNIST is missing. Run `make evaluate` to download it (30 s), or set MNIST_DIR to a folder of its IDX files."
)


def pytest_configure(config: pytest.Config) -> None:
    """Print the ten slowest tests, unless the command line says otherwise, and let tests interrupt processes."""
    defaults: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGQUIT: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    for number, default in defaults.items():
        if signal.getsignal(number) is signal.SIG_IGN:  # in a background job, or under nohup; children inherit it
            signal.signal(number, default)
    if config.option.durations is None:
        config.option.durations = 10


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest files first: two run at a time, and the last one would run alone."""
    order = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def find_mnist() -> Path | None:
    """Return the folder that MNIST_DIR names, the one beside the checkout, or the cache of the downloads."""
    named = os.environ.get("MNIST_DIR")
    folders = [Path(named)] if named else [ROOT.parent / "shared" / "data" / "mnist", cache_folder("mnist")]
    return next((folder for folder in folders if folder.is_dir()), None)


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """Skip where MNIST is missing; fail in CI, so that these tests cannot be skipped silently."""
    folder = find_mnist()
    if folder is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING_MNIST)
    return folder


@pytest.fixture(scope="session")
def mnist_test(mnist_folder: Path) -> Dataset:
    return load_test(mnist_folder)


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return Classifier(Contract.verify(WEIGHTS / Settings().model))


def make_app(classifier: Classifier, readiness: Readiness | None = None, **settings: Any) -> Starlette:
    """Build the real app with these settings."""
    return create_app(Settings(**settings), classifier, ServerState(readiness=readiness or Readiness()))


@pytest.fixture(scope="session")
def client(classifier: Classifier) -> Iterator[TestClient]:
    with TestClient(make_app(classifier)) as client:
        yield client
