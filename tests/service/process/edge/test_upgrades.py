"""Upgrade offers are ignored."""

import time

import pytest

from tests.images import DIGIT
from tests.service.process.connection import POST, Connection, get, post_head
from tests.service.process.edge.requests import CHUNKED, JAVA_POST, UPGRADE
from tests.service.process.running_service import PNG


def test_java_client_is_served(connection: Connection) -> None:
    """Ignore the h2c offer of Java's HttpClient, which sends headers and body in separate packets, every time."""
    for _ in range(3):
        connection.send(JAVA_POST)
        time.sleep(0.05)
        response = connection.ask(PNG)
        assert (response.status, response.closes) == (200, False)
        assert response.content["digit"] == DIGIT


@pytest.mark.parametrize("size", [1, 50, 1_000_000])
def test_offer_with_a_body_may_be_split_anywhere(connection: Connection, size: int) -> None:
    """Read the body of an upgrade offer in packets of any size."""
    data = JAVA_POST + PNG
    for start in range(0, len(data), size):
        connection.send(data[start : start + size])
        time.sleep(0.0005)
    assert connection.receive().content["digit"] == DIGIT
    assert connection.ask(POST).content["digit"] == DIGIT


@pytest.mark.parametrize(
    "offer",
    [
        get("/health", UPGRADE),
        post_head(len(PNG), UPGRADE) + PNG,
        CHUNKED.replace(b"Host: x\r\n", b"Host: x\r\n" + UPGRADE.encode()),
        get("/health", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    ],
    ids=["get", "length", "chunked", "websocket"],
)
def test_pipelined_offers_are_ignored(connection: Connection, offer: bytes) -> None:
    """Answer an offer between two ordinary requests, whatever frames its body."""
    assert connection.ask(offer).status == 200
    assert connection.ask(get("/health") + offer).content == {"status": "ok"}
    assert connection.receive().status == 200
    assert connection.ask(offer + get("/ready")).status == 200
    assert connection.receive().content == {"status": "ready"}
