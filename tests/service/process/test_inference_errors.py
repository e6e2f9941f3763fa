"""Below /v2, errors from in front of the application have the shape of the Open Inference Protocol, too."""

from contextlib import ExitStack

import pytest

from service.web.readiness import State
from service.web.request_limits import MAX_HEADER_BYTES, MAX_URL_BYTES
from tests.service.process.connection import Connection, Response, get, post_head
from tests.service.process.running_service import wait_until
from tests.service.process.test_overload import fill, full_app
from tests.service.process.test_protocol import RecordingApp

INFER = "/v2/models/cnn/infer"


def error_of(response: Response, status: int) -> str:
    assert response.status == status
    assert response.content.keys() == {"error"}
    return str(response.content["error"])


@pytest.mark.parametrize("pieces", [1, 2], ids=["whole", "in two pieces"])
@pytest.mark.parametrize("headers", ["", "Connection: close\r\n"])
def test_request_beyond_the_limit_is_shed(headers: str, pieces: int) -> None:
    """Respond with 503 and Retry-After, whether the request is parsed or not."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        fill(stack, port, app)
        connection = stack.enter_context(Connection(port))
        request = post_head(4, headers, INFER) + b"body"
        size = -(-len(request) // pieces)
        for start in range(0, len(request), size):
            connection.send(request[start : start + size])
        response = connection.receive()
        assert "too many requests are in flight" in error_of(response, 503)
        assert (response.headers["retry-after"], response.closes) == ("1", bool(headers))
        assert (
            connection.is_at_end() if headers else connection.ask(post_head(0, path="/x")).content.keys() == {"detail"}
        )


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get(INFER, f"A: {'x' * MAX_HEADER_BYTES}\r\n"), 431),
        (get(f"{INFER}?{'x' * MAX_URL_BYTES}"), 414),
        (get(INFER, "no header\r\n"), 400),
    ],
)
def test_request_that_is_rejected_by_the_parser(request_: bytes, status: int) -> None:
    """Respond with the error of the protocol if the parser had seen the path."""
    with RecordingApp().running() as port, Connection(port) as connection:
        error_of(connection.ask(request_), status)


def test_request_without_a_path_gets_a_detail() -> None:
    """Respond as everywhere to what is not HTTP."""
    with RecordingApp().running() as port, Connection(port) as connection:
        assert connection.ask(b"nonsense\r\n\r\n").content.keys() == {"detail"}


def test_request_that_outlasts_the_server() -> None:
    """Respond with 503 to a request that the server does not wait for at its end."""
    app = RecordingApp()
    app.state.readiness.state = State.READY
    with app.running() as port:
        connection = Connection(port)
        connection.send(get("/v2/wait"))
        wait_until(lambda: app.state.in_flight.count == 1)
    assert error_of(connection.receive(), 503) == "The service stops. Send the request again."
    connection.socket.close()
