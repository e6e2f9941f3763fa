"""Bodies are limited in size and may arrive in any pieces."""

import time

import pytest

from benchmarks.server import pss
from service.process.linger import LINGER_SECONDS, MAX_DROPPED_BYTES
from tests.images import DIGIT
from tests.service.process.connection import POST, Connection, post_head
from tests.service.process.edge.requests import CHUNKED, MAX_UPLOAD_BYTES
from tests.service.process.running_service import PNG, Service


@pytest.mark.parametrize("length", [MAX_UPLOAD_BYTES + 1, 10**12])
@pytest.mark.parametrize("path", ["/predict", "/predict-batch"])
def test_declared_length_over_the_limit_gets_413_at_once(connection: Connection, path: str, length: int) -> None:
    """Respond with 413 to the headers alone, without 100 Continue, and end the connection."""
    response = connection.ask(post_head(length, "Expect: 100-continue\r\n", path))
    assert (response.status, response.closes) == (413, True)
    assert response.content == {
        "detail": f"The upload is larger than {MAX_UPLOAD_BYTES} bytes. Send a smaller file, or fewer files."
    }
    assert connection.is_at_end()


def test_client_that_still_sends_receives_413(connection: Connection) -> None:
    """Let a client read the response after it has sent all of a body that is too large, slowly."""
    connection.send(post_head(1_000_000))
    for _ in range(10):
        connection.send(bytes(100_000))
        time.sleep(0.3)
    assert connection.receive().status == 413
    assert connection.is_at_end()


def test_client_that_never_stops_is_cut_off(service: Service, connection: Connection) -> None:
    """End the connection of a client that sends on after 413, before it has sent 1.5 times MAX_DROPPED_BYTES."""
    before = pss(service.process.pid)
    assert connection.ask(post_head(10**12)).status == 413
    with pytest.raises(ConnectionError):
        connection.send(bytes(MAX_DROPPED_BYTES * 3 // 2))
    assert pss(service.process.pid) - before < 4_000_000


def test_silent_client_is_cut_off_after_413(connection: Connection) -> None:
    """End the connection LINGER_SECONDS after the last byte, although the client keeps it open."""
    assert connection.ask(post_head(10**12)).status == 413
    begun = time.monotonic()
    assert connection.is_at_end()
    time.sleep(LINGER_SECONDS + 0.2)
    connection.send(b"x")  # the reset comes back
    time.sleep(0.1)
    with pytest.raises(ConnectionError):
        connection.send(b"x")
    assert time.monotonic() - begun < LINGER_SECONDS + 1


def test_body_of_an_unknown_path_is_dropped(service: Service, connection: Connection) -> None:
    """Respond with 404 at once, drop the body, and answer the next request on the same connection."""
    before = pss(service.process.pid)
    assert connection.ask(post_head(20_000_000, path="/nowhere")).status == 404
    connection.send(bytes(20_000_000))
    assert pss(service.process.pid) - before < 4_000_000
    for _ in range(2):  # what was dropped before does not count for this one
        assert connection.ask(post_head(15_000_000, path="/nowhere") + bytes(15_000_000)).status == 404
    assert connection.ask(POST).content["digit"] == DIGIT


def test_endless_body_of_an_unknown_path_is_cut_off(connection: Connection) -> None:
    """End the connection after MAX_DROPPED_BYTES of a body that nobody reads."""
    assert connection.ask(post_head(10**12, path="/nowhere")).status == 404
    with pytest.raises(ConnectionError):
        connection.send(bytes(MAX_DROPPED_BYTES * 3 // 2))


def test_expected_continue_is_sent(connection: Connection) -> None:
    """Respond with 100 Continue to a length within the limit, and read the body."""
    assert connection.ask(post_head(len(PNG), "Expect: 100-continue\r\n")).status == 100
    assert connection.ask(PNG).content["digit"] == DIGIT


@pytest.mark.parametrize("request_bytes", [POST, CHUNKED], ids=["length", "chunked"])
def test_request_may_be_split_anywhere(connection: Connection, request_bytes: bytes) -> None:
    """Respond to requests in packets of one to many bytes, one after the other on one connection."""
    for size in (1, 7, 64, len(request_bytes)):
        for start in range(0, len(request_bytes), size):
            connection.send(request_bytes[start : start + size])
            time.sleep(0.0005)
        assert connection.receive().content["digit"] == DIGIT
