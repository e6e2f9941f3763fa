"""Every response has an identifier and security headers, and every request one line in the access log."""

import json
import re

import pytest
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from service.settings import Settings
from service.web.access_log import AccessLog
from service.web.app import create_app
from service.web.readiness import State
from service.web.server_state import ServerState
from tests.images import SEVEN, encode

PNG = encode(SEVEN)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NEW_ID = r"[0-9a-f]{12}-[0-9a-f]+"


class LoggedClient(TestClient):
    """A client of an app, and the lines of its access log."""

    def __init__(self, classifier: Classifier, log_format: str) -> None:
        self.lines: list[str] = []
        state = ServerState(access_log=AccessLog(log_format, self.lines.append))
        state.readiness.state = State.READY
        super().__init__(create_app(Settings(), classifier, state))


@pytest.fixture
def text_client(classifier: Classifier) -> LoggedClient:
    return LoggedClient(classifier, "text")


@pytest.fixture
def json_client(classifier: Classifier) -> LoggedClient:
    return LoggedClient(classifier, "json")


@pytest.mark.parametrize("given", ["a", "7f3c-4e", "A.b_c~d:e/f+g=h@i", "x" * 128])
def test_safe_identifier_is_returned(client: TestClient, given: str) -> None:
    """Return the identifier that the client sent."""
    assert client.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", "a\tb", "x" * 129, '"', "<script>", "a'b"])
def test_unsafe_identifier_is_replaced(client: TestClient, given: str) -> None:
    """Return a new identifier instead of one that is empty, long or unsafe to log."""
    returned = client.get("/health", headers=[("X-Request-ID", given)]).headers["x-request-id"]
    assert re.fullmatch(NEW_ID, returned)


@pytest.mark.parametrize("path", ["/health", "/predict", "/no-such-path", "/metrics"])
def test_new_identifiers_differ(client: TestClient, path: str) -> None:
    """Return another identifier with each response, an error included."""
    first, second = (client.get(path).headers["x-request-id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("path", ["/health", "/predict", "/no-such-path"])
def test_responses_are_not_interpreted_embedded_or_kept(client: TestClient, path: str) -> None:
    """Send the security headers with every response, an error included."""
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_json_line_describes_the_request(json_client: LoggedClient) -> None:
    """Log one object per request, with the identifier and the trace context that the client sent."""
    headers = {"X-Request-ID": "me", "traceparent": TRACEPARENT}
    json_client.post("/predict?token=secret", content=b"junk", headers=headers)
    (line,) = json_client.lines
    entry = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", entry.pop("time"))
    assert entry.pop("duration_ms") > 0
    assert entry == {
        "level": "info",
        "message": "request",
        "request_id": "me",
        "client": "testclient",
        "method": "POST",
        "path": "/predict",
        "status": 400,
        "traceparent": TRACEPARENT,
    }


@pytest.mark.parametrize("given", ["", "00-1-2-3", TRACEPARENT.upper(), TRACEPARENT + "x"])
def test_invalid_trace_context_is_not_logged(json_client: LoggedClient, given: str) -> None:
    """Leave out a traceparent that is not valid."""
    json_client.get("/health", headers={"traceparent": given})
    assert "traceparent" not in json.loads(json_client.lines[0])


def test_text_line_describes_the_request(text_client: LoggedClient) -> None:
    """Log time, client, method, path, status, duration and identifier in one line."""
    text_client.post("/predict", content=PNG, headers={"X-Request-ID": "me"})
    (line,) = text_client.lines
    assert re.fullmatch(r'\S+\+00:00 testclient "POST /predict" 200 \d+\.\d\d ms id=me', line)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_path_cannot_forge_a_line(classifier: Classifier, log_format: str) -> None:
    """Log a path with line ends and quotes in one line, shortened."""
    client = LoggedClient(classifier, log_format)
    client.get("/a%0A2026%20%22b%22%1B[31m" + "x" * 5_000)
    (line,) = client.lines
    assert line.isprintable()
    assert len(line) < 500


def test_log_never_shows_the_image(json_client: LoggedClient) -> None:
    """Log no byte of a body, a form or a query."""
    json_client.post("/predict-base64?image=SECRET", json={"image": "SECRET"})
    json_client.post("/predict", files={"file": ("SECRET.png", b"SECRET", "image/png")})
    assert len(json_client.lines) == 2
    assert "SECRET" not in "".join(json_client.lines)


def test_failure_is_logged_as_500(text_client: LoggedClient) -> None:
    """Log and answer an exception that nobody expected with 500, and with the security headers."""

    async def fail(_request: Request) -> None:
        raise ZeroDivisionError

    text_client.app.routes.append(Route("/fail", fail))  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        text_client.get("/fail")
    assert '"GET /fail" 500 ' in text_client.lines[0]
    response = TestClient(text_client.app, raise_server_exceptions=False).get("/fail")
    assert (response.status_code, response.headers["x-content-type-options"]) == (500, "nosniff")
