"""The app allows cross-origin requests as configured."""

import pytest
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from tests.conftest import make_app

ORIGIN = "https://page.example"


@pytest.mark.parametrize("path", ["/predict", "/predict-image", "/predict-base64", "/predict-batch", "/predict-number"])
def test_any_page_may_send_images_by_default(client: TestClient, path: str) -> None:
    """Allow any origin in the preflight response, with any method and header."""
    preflight = client.options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "content-type"


def test_any_page_may_read_responses_and_errors(client: TestClient) -> None:
    """Allow any origin to read a response, an error included."""
    responses = [client.get("/health", headers={"Origin": ORIGIN}), client.post("/predict", headers={"Origin": ORIGIN})]
    assert [response.status_code for response in responses] == [200, 400]
    for response in responses:
        assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(("origin", "allowed"), [(ORIGIN, ORIGIN), ("https://other.example", None)])
def test_origins_can_be_restricted(classifier: Classifier, origin: str, allowed: str | None) -> None:
    """Allow only the origins in CORS_ORIGINS."""
    client = TestClient(make_app(classifier, cors_origins=(ORIGIN,)))
    assert client.get("/health", headers={"Origin": origin}).headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize(("origin", "method"), [(ORIGIN, "CONNECT"), ("https://other.example", "POST")])
def test_forbidden_preflight_gets_a_detail(classifier: Classifier, origin: str, method: str) -> None:
    """Respond with 400 and a JSON detail to a preflight request for another method or from another origin."""
    client = TestClient(make_app(classifier, cors_origins=(ORIGIN,)))
    preflight = client.options("/predict", headers={"Origin": origin, "Access-Control-Request-Method": method})
    assert preflight.status_code == 400
    assert preflight.json().keys() == {"detail"}
    assert preflight.headers["content-type"] == "application/json"
    assert "POST" in preflight.headers["access-control-allow-methods"]
