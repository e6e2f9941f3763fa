"""What is not HTTP/1.1 gets a JSON error, and the log stays small."""

import time
from pathlib import Path

import pytest

from service.process.log_limit import MAX_REPEATS
from tests.service.process.connection import Connection
from tests.service.process.edge.requests import CHUNKED_HEAD, MALFORMED
from tests.service.process.running_service import running_service


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_request_gets_400(connection: Connection, name: str) -> None:
    """Respond with 400 and a JSON detail at once, and close the connection."""
    begun = time.monotonic()
    response = connection.ask(MALFORMED[name])
    assert time.monotonic() - begun < 0.4  # before any time-out
    assert (response.status, response.closes) == (400, True)
    assert response.headers["content-type"] == "application/json"
    assert response.content == {"detail": "The request is not valid HTTP/1.1."}
    assert connection.is_at_end()


def test_bad_chunk_after_the_response_closes_quietly(connection: Connection) -> None:
    """Send no second response if the rest of a body, already answered, is malformed."""
    head = CHUNKED_HEAD.replace(b"/predict", b"/nowhere")
    assert connection.ask(head).status == 404
    connection.send(b"nonsense\r\n")
    assert connection.is_at_end()


def test_malformed_requests_do_not_fill_the_log(tmp_path: Path) -> None:
    """Log at most MAX_REPEATS of a hundred malformed requests."""
    with running_service(tmp_path / "log") as service:
        for _ in range(100):
            with Connection(service.port) as connection:
                assert connection.ask(b"garbage\r\n\r\n").status == 400
    assert service.log.read_text().count("Rejected a request") == MAX_REPEATS
