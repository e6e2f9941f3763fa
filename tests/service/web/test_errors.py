"""Every error response is `{"detail": "a sentence"}` with the status of its exception."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.testclient import TestClient

from service.errors import ImageError, NotReadyError, RequestError, UploadTimeoutError, UploadTooLargeError
from service.web.errors import exception_handlers


def respond_to(error: Exception) -> Any:
    """Return the response of an app whose only route raises this error."""

    async def fail(_request: Request) -> None:
        raise error

    app = Starlette(routes=[Route("/fail", fail)], exception_handlers=exception_handlers())
    return TestClient(app).get("/fail")


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (RequestError("Send less."), 400, "Send less."),
        (ImageError("the file is empty."), 400, "Error processing image: the file is empty."),
        (UploadTimeoutError("Send it faster."), 408, "Send it faster."),
        (UploadTooLargeError("Send less."), 413, "Send less."),
        (NotReadyError("Try again."), 503, "Try again."),
        (ClientDisconnect(), 400, ""),
    ],
)
def test_exception_gets_its_own_status(error: Exception, status: int, detail: str) -> None:
    """Respond with the message of the exception. Only 503 tells the client when to try again."""
    response = respond_to(error)
    assert (response.status_code, response.json()) == (status, {"detail": detail})
    assert response.headers["content-type"] == "application/json"
    assert response.headers.get("retry-after") == ("1" if status == 503 else None)


def test_unexpected_exception_is_not_hidden() -> None:
    """Let an exception that is no ServiceError through to the server, which logs it."""
    with pytest.raises(ZeroDivisionError):
        respond_to(ZeroDivisionError())


def test_unexpected_exception_gets_a_detail() -> None:
    """Respond with 500 and a JSON detail that does not show the exception."""

    async def fail(_request: Request) -> None:
        raise ZeroDivisionError("secret")

    app = Starlette(routes=[Route("/fail", fail)], exception_handlers=exception_handlers())
    response = TestClient(app, raise_server_exceptions=False).get("/fail")
    assert (response.status_code, list(response.json())) == (500, ["detail"])
    assert "secret" not in response.text


def test_unknown_path_names_the_routes(client: TestClient) -> None:
    """Respond with 404 and name the routes that accept images."""
    response = client.get("/nowhere")
    assert response.status_code == 404
    for path in ("/predict", "/predict-image", "/predict-base64", "/predict-batch", "/predict-number"):
        assert path in response.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("PUT", "/predict-batch", "POST"), ("POST", "/health", "GET, HEAD")],
)
def test_wrong_method_names_the_right_one(client: TestClient, method: str, path: str, allowed: str) -> None:
    """Respond with 405 and name the allowed methods, sorted, in the detail and in the Allow header."""
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.json() == {"detail": f"{method} is not allowed here. Use {allowed}."}
