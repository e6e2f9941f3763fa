"""With API_KEY set, requests need one of its keys."""

import pytest
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from tests.conftest import make_app
from tests.images import DIGIT, SEVEN, encode

PNG = encode(SEVEN)
ROUTES = [("POST", "/predict"), ("POST", "/predict-batch"), ("GET", "/model"), ("GET", "/metrics"), ("GET", "/unknown")]


@pytest.fixture(scope="module")
def protected(classifier: Classifier) -> TestClient:
    client = TestClient(make_app(classifier, api_key=("new-key", "old-key")))
    client.__enter__()
    return client


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer new-key"},
        {"Authorization": "bearer  old-key "},
        {"X-API-Key": "old-key"},
        {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": "new-key"},
    ],
)
def test_each_key_is_accepted(protected: TestClient, headers: dict[str, str]) -> None:
    """Predict for a request with a key in either header."""
    assert protected.post("/predict", content=PNG, headers=headers).json()["digit"] == DIGIT


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer new-ke"},
        {"Authorization": "Bearer new-key,old-key"},
        {"Authorization": "new-key"},
        {"Authorization": "Bearer \x7f"},
        {"X-API-Key": ""},
        {"X-API-Key": "NEW-KEY"},
    ],
)
def test_request_without_a_valid_key_gets_401(
    protected: TestClient, method: str, path: str, headers: dict[str, str]
) -> None:
    """Respond with 401 and say where to put the key, whatever the path."""
    response = protected.request(method, path, content=PNG if method == "POST" else None, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["detail"].startswith("The API key is missing or wrong. Send it as")


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_need_no_key(protected: TestClient, path: str) -> None:
    """Respond to orchestrators without a key."""
    assert protected.get(path).status_code == 200


def test_preflight_needs_no_key(protected: TestClient) -> None:
    """Respond to a browser's preflight request, which cannot carry a key, and let the page read a 401."""
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    assert protected.options("/predict", headers=headers).status_code == 200
    refused = protected.post("/predict", content=PNG, headers={"Origin": "https://page.example"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")


def test_without_a_setting_no_key_is_needed(client: TestClient) -> None:
    """Predict without a key by default."""
    assert client.post("/predict", content=PNG).status_code == 200
