"""/health responds as long as the process lives, /ready while it accepts images, /model with the contract."""

import json

import pytest
from starlette.testclient import TestClient

from service import __version__
from service.inference.classifier import Classifier
from service.inference.contract import CONTRACT_FILE
from service.settings import Settings
from service.web.readiness import Readiness, State
from tests.conftest import WEIGHTS, make_app
from tests.images import SEVEN, encode

PNG = encode(SEVEN)
CONTRACT = json.loads((WEIGHTS / Settings().model / CONTRACT_FILE).read_text())


def test_health_is_ok_by_default(client: TestClient) -> None:
    """Respond with `ok`."""
    assert client.get("/health").json() == {"status": "ok"}


def test_health_status_is_a_setting(classifier: Classifier) -> None:
    """Respond with the HEALTH_STATUS setting."""
    assert TestClient(make_app(classifier, health_status="healthy")).get("/health").json() == {"status": "healthy"}


@pytest.mark.parametrize("state", [State.STARTING, State.DRAINING])
def test_service_that_is_not_ready_rejects_images(classifier: Classifier, state: State) -> None:
    """Respond with 503 to /ready and to every image while the service starts or drains; /health stays green."""
    readiness = Readiness()
    readiness.state = state
    client = TestClient(make_app(classifier, readiness))
    ready = client.get("/ready")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
    assert ready.json() == {"status": state}
    for path in ("/predict", "/predict-image", "/predict-base64", "/predict-batch"):
        rejected = client.post(path, content=PNG)
        assert (rejected.status_code, rejected.headers["retry-after"]) == (503, "1")
        assert rejected.json() == {"detail": f"The service is {state}. Try again in a moment."}
    assert client.get("/health").status_code == 200


def test_service_is_ready_within_its_lifespan(classifier: Classifier) -> None:
    """Become ready at lifespan start-up, and drain at shutdown."""
    readiness = Readiness()
    app = make_app(classifier, readiness)
    states = [readiness.state]
    with TestClient(app) as client:
        states.append(readiness.state)
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    states.append(readiness.state)
    assert states == [State.STARTING, State.READY, State.DRAINING]


def test_model_describes_the_contract_on_disk(client: TestClient) -> None:
    """Respond with the version, the model's terms, the entry of the served file and the hash of every file."""
    served = CONTRACT["files"][CONTRACT["serves"]]
    assert client.get("/model").json() == {
        "version": __version__,
        **{term: CONTRACT[term] for term in ("model", "opset", "versions", "input", "output", "labels", "serves")},
        **{key: value for key, value in served.items() if key != "self_test"},
        "files": {name: entry["sha256"] for name, entry in CONTRACT["files"].items()},
    }


def test_model_states_accuracy_and_parity(client: TestClient) -> None:
    """Respond with the accuracy on all MNIST test images and an int8/fp32 agreement of at least 99.95 %."""
    description = client.get("/model").json()
    assert (description["model"], description["precision"]) == ("cnn-transformer", "int8")
    assert description["accuracy"]["mnist-test"]["images"] == 10_000
    assert description["parity"]["argmax_agreement"]["mnist-test"] >= 0.9995
