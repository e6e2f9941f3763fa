"""Headers and URLs are limited in size and time."""

import time

import pytest

from benchmarks.server import pss
from service.web.request_limits import MAX_HEADER_BYTES, MAX_URL_BYTES
from tests.service.process.connection import Connection, get
from tests.service.process.edge.requests import CHUNKED
from tests.service.process.running_service import Service


def padded(size: int) -> str:
    """Return a header that fills the headers of `get` up to a size: 4 bytes count for each line's separators."""
    return f"A: {'x' * (size - len('Host' + 'x' + 'A') - 8)}\r\n"


def test_headers_up_to_the_limit_are_accepted(connection: Connection) -> None:
    """Respond to headers of exactly MAX_HEADER_BYTES."""
    assert connection.ask(get("/health", padded(MAX_HEADER_BYTES))).status == 200


@pytest.mark.parametrize(
    "headers",
    [padded(MAX_HEADER_BYTES + 1), "A: x\r\n" * MAX_HEADER_BYTES],
    ids=["one", "many"],
)
def test_large_headers_get_431(connection: Connection, headers: str) -> None:
    """Respond with 431 to headers over the limit, and close the connection."""
    response = connection.ask(get("/health", headers))
    assert (response.status, response.closes) == (431, True)
    assert response.content == {"detail": f"The headers are larger than {MAX_HEADER_BYTES} bytes."}
    assert connection.is_at_end()


@pytest.mark.parametrize("name", ["header value", "header name", "trailer", "chunk extension"])
def test_endless_headers_get_431(service: Service, connection: Connection, name: str) -> None:
    """Respond with 431 to a header or a trailer that does not end, and take less than 4 MB meanwhile."""
    begin = get("/health")[:-2]
    endless = {
        "header value": begin + b"A: ",
        "header name": begin,
        "trailer": CHUNKED[:-2] + b"A: ",
        "chunk extension": CHUNKED[: -len(b"0\r\n\r\n")] + b"1;",
    }
    before = pss(service.process.pid)
    connection.send(endless[name] + b"A" * 20_000_000)
    assert pss(service.process.pid) - before < 4_000_000
    response = connection.receive()
    assert (response.status, response.closes) == (431, True)
    assert connection.is_at_end()


def test_url_up_to_the_limit_is_accepted(connection: Connection) -> None:
    """Respond to a URL of exactly MAX_URL_BYTES."""
    assert connection.ask(get("/health?" + "x" * (MAX_URL_BYTES - 8))).status == 200


@pytest.mark.parametrize("size", [MAX_URL_BYTES + 1, 50 * MAX_URL_BYTES])
def test_long_url_gets_414(connection: Connection, size: int) -> None:
    """Respond with 414 to a URL over the limit, and close the connection."""
    response = connection.ask(get("/" + "x" * (size - 1)))
    assert (response.status, response.closes) == (414, True)
    assert response.content == {"detail": f"The URL is longer than {MAX_URL_BYTES} bytes."}
    assert connection.is_at_end()


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"], ids=["nothing", "blank lines"])
def test_silent_connection_is_closed(connection: Connection, sent: bytes) -> None:
    """Close a connection that begins no request within HEADER_TIMEOUT. Respond with nothing."""
    connection.send(sent)
    begun = time.monotonic()
    assert connection.is_at_end()
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("before", [b"", get("/health")], ids=["first request", "second request"])
def test_slow_headers_get_408(connection: Connection, before: bytes) -> None:
    """Respond with 408 if the headers do not arrive within HEADER_TIMEOUT, however steadily they drip."""
    if before:
        assert connection.ask(before).status == 200
    begun = time.monotonic()
    for byte in b"GET / HTTP/1.1":
        connection.send(bytes([byte]))
        time.sleep(0.02)
    response = connection.receive()
    assert 0.4 < time.monotonic() - begun < 1
    assert (response.status, response.closes) == (408, True)
    assert response.content == {"detail": "The headers did not arrive within 0.5 s."}
    assert connection.is_at_end()
