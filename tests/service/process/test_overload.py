"""Small requests beyond the limit get 503 before the application sees them; others are served; nothing leaks."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from service.process.overload import Overload, is_ordinary_post
from service.web.error_response import RETRY_AFTER_SECONDS
from service.web.readiness import State
from tests.service.process.connection import Connection, Response, get, post_head
from tests.service.process.running_service import wait_until
from tests.service.process.test_protocol import RecordingApp

MANY = 60
WAIT = post_head(4, path="/wait") + b"body"
POST = post_head(4, path="/") + b"body"


def full_app(credit: int = 1_000) -> RecordingApp:
    """Return an app that is ready, and whose protocol sheds beyond two small requests."""
    app = RecordingApp(max_in_flight=2, max_credit=credit)
    app.state.readiness.state = State.READY
    return app


def fill(stack: ExitStack, port: int, app: RecordingApp, limit: int = 2) -> list[Connection]:
    """Send as many requests as may be in flight. They wait until the app is released."""
    before = len(app.counts)
    connections = [stack.enter_context(Connection(port)) for _ in range(limit)]
    for connection in connections:
        connection.send(WAIT)
    wait_until(lambda: len(app.counts) - before == limit)
    return connections


def ask(connection: Connection) -> Response:
    """Send a request and return its response."""
    return connection.ask(POST)


def test_request_beyond_the_limit_is_shed() -> None:
    """Respond with 503 and Retry-After at once, without calling the app; respond to the others as usual."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        waiting = fill(stack, port, app)
        response = stack.enter_context(Connection(port)).ask(POST)
        assert (response.status, response.headers["retry-after"], response.closes) == (503, "1", False)
        assert response.content == {
            "detail": "The service is busy: too many requests are in flight. Try again in a moment."
        }
        assert response.headers["x-content-type-options"] == "nosniff"
        assert (len(app.counts), app.overload.shed) == (2, 1)
        app.release.set()
        assert [connection.receive().status for connection in waiting] == [204, 204]


def test_slow_senders_take_no_place() -> None:
    """Serve a request while more others than the limit have sent a part of their bodies; count those when whole."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        slow = [stack.enter_context(Connection(port)) for _ in range(3)]
        for connection in slow:
            connection.send(WAIT[:-1])
        wait_until(lambda: len(app.counts) == 3)
        assert ask(stack.enter_context(Connection(port))).status == 204
        for connection in slow[:2]:
            connection.send(WAIT[-1:])
        wait_until(lambda: app.overload.is_full)
        assert ask(stack.enter_context(Connection(port))).status == 503
        app.release.set()
        assert [connection.receive().status for connection in slow[:2]] == [204] * 2
        wait_until(lambda: not app.overload.is_full)


@pytest.mark.parametrize("credit", [0, 1_000])
def test_connection_is_used_again_after_a_request_was_shed(credit: int) -> None:
    """Keep the connection: shed again while there is no room, and serve when there is."""
    app = full_app(credit)
    with app.running() as port, ExitStack() as stack:
        waiting = fill(stack, port, app)
        connection = stack.enter_context(Connection(port))
        assert [connection.ask(POST).status for _ in range(2)] == [503] * 2
        app.release.set()
        assert [waiter.receive().status for waiter in waiting] == [204] * 2
        assert connection.ask(POST).status == 204
        wait_until(lambda: app.state.in_flight.count == 0)
        assert not app.overload.is_full


def test_scripts_may_read_the_response() -> None:
    """Allow every origin, as the application does by default, and show scripts when to try again."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        fill(stack, port, app)
        response = stack.enter_context(Connection(port)).ask(post_head(4, "Origin: https://example.com\r\n") + b"body")
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["access-control-expose-headers"] == "Retry-After"


@pytest.mark.parametrize("credit", [0, 1_000])
def test_requests_that_come_together_are_all_shed(credit: int) -> None:
    """Respond to each of several requests in one packet, and queue their connection once."""
    app = full_app(credit)
    with app.running() as port, ExitStack() as stack:
        fill(stack, port, app)
        connection = stack.enter_context(Connection(port))
        connection.send(20 * POST)
        assert [connection.receive().status for _ in range(20)] == [503] * 20
        assert connection.ask(POST).status == 503
        assert app.overload.shed == 21


@pytest.mark.parametrize(
    "request_bytes",
    [
        get("/"),
        post_head(40_000, path="/") + bytes(40_000),
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["GET", "large", "chunked"],
)
def test_other_requests_are_not_shed(request_bytes: bytes) -> None:
    """Respond to status requests, and leave large bodies to the limit of memory."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        fill(stack, port, app)
        assert stack.enter_context(Connection(port)).ask(request_bytes).status == 204


def test_large_requests_do_not_count() -> None:
    """Serve small requests while more large ones than the limit are in flight."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(Connection(port)).send(post_head(40_000, path="/wait"))
        wait_until(lambda: len(app.counts) == 4)
        assert stack.enter_context(Connection(port)).ask(POST).status == 204


def test_body_of_a_shed_request_is_dropped() -> None:
    """Respond before the body has arrived, drop it, and read the next request after it."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        fill(stack, port, app)
        connection = stack.enter_context(Connection(port))
        assert connection.ask(post_head(4)).status == 503
        app.release.set()
        connection.send(b"GET ")
        assert connection.ask(POST).status == 204


@pytest.mark.parametrize(
    "head", [post_head(4, "Connection: close\r\n", "/"), b"POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\n"]
)
def test_shed_request_of_a_client_that_closes_ends_the_connection(head: bytes) -> None:
    """Announce the end of the connection, and close it, where the client keeps none."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        fill(stack, port, app)
        connection = stack.enter_context(Connection(port))
        response = connection.ask(head + b"body")
        assert (response.status, response.closes) == (503, True)
        assert connection.is_at_end()


def test_requests_of_clients_that_have_gone_make_room() -> None:
    """Serve a request after those in flight were abandoned by their clients."""
    app = full_app()
    with app.running() as port, ExitStack() as stack:
        for connection in fill(stack, port, app):
            connection.socket.close()
        wait_until(lambda: app.cancelled == 2)
        wait_until(lambda: not app.overload.is_full)
        assert stack.enter_context(Connection(port)).ask(POST).status == 204


@pytest.mark.parametrize("credit", [0, 10, 1_000])
def test_many_shed_connections_are_all_read_again(credit: int) -> None:
    """Answer every connection whose request was shed, however many pause, and forget those that have gone."""
    app = full_app(credit)
    with app.running() as port, ExitStack() as stack, ThreadPoolExecutor(MANY) as clients:
        fill(stack, port, app)
        connections = [stack.enter_context(Connection(port)) for _ in range(MANY)]
        assert {response.status for response in clients.map(ask, connections)} == {503}
        for connection in connections[::2]:
            connection.socket.shutdown(socket.SHUT_RDWR)
        assert {response.status for response in clients.map(ask, connections[1::2])} == {503}
        app.release.set()
        wait_until(lambda: not app.overload.is_full)
        assert {response.status for response in map(ask, connections[1::2])} == {204}


HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("data", "is_ordinary"),
    [
        (POST, True),
        (post_head(0), True),
        (HEAD + b"cOnTeNt-LeNgTh:4\r\nAccept: */*\r\n\r\nbody", True),
        (POST[:-1], False),
        (POST + b"G", False),
        (POST + POST, False),
        (get("/"), False),
        (HEAD + b"\r\n", False),
        (HEAD + b"Content-Length: 4\r\n", False),
        (b"\r\n" + POST, False),
        (POST.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody", False),
        (HEAD + b"Content-Length : 5\r\nContent-Length: 4\r\n\r\nbody", False),
        (HEAD + b"Content-Length: 4\r\nContent-Length : 5\r\n\r\nbody", False),
        (HEAD + b"Content-Length: +4\r\n\r\nbody", False),
        (HEAD + b"Content-Length: 4, 4\r\n\r\nbody", False),
        (HEAD + b"Content-Length: 4\r\n 5\r\n\r\nbody", False),
        (HEAD + b"Content-Length: 4\nAccept: */*\r\n\r\nbody", False),
        (HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nbody", False),
        (HEAD + b"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\nbody", False),
        (HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\nbody", False),
        (HEAD + b"Content-Length: 4\r\nConnection: close\r\n\r\nbody", False),
    ],
)
def test_only_one_whole_ordinary_request_is_recognized(data: bytes, is_ordinary: bool) -> None:
    """Leave to the parser whatever is not exactly one request, or is framed in more than one way."""
    assert is_ordinary_post(data) is is_ordinary


class Paused:
    """A connection that is not read. It counts how often it is read again."""

    def __init__(self) -> None:
        self.reads = 0

    def read_again(self) -> None:
        self.reads += 1


@pytest.mark.parametrize(("limit", "reads"), [(1, [3]), (8, [3, 6, 9, 13, 18, 20])])
def test_room_is_filled_before_the_service_runs_out_of_work(limit: int, reads: list[int]) -> None:
    """Read some paused connections with each response, and as many as there is room for once half of it is free."""

    async def count_reads() -> None:
        overload, paused = Overload(limit), Paused()
        for _ in range(limit):
            overload.begin()
        for _ in range(20):
            overload.pause(paused)
        for expected in reads:
            overload.end()
            assert paused.reads == expected

    asyncio.run(count_reads())


def test_paused_connections_are_read_again_in_time() -> None:
    """Read connections again after RETRY_AFTER_SECONDS, in order, while nothing is answered."""

    async def count_reads() -> None:
        overload, paused = Overload(1), [Paused() for _ in range(3)]
        overload.begin()
        loop = asyncio.get_running_loop()
        started = loop.time()
        for connection in paused:
            overload.pause(connection)
            await asyncio.sleep(0.05)
        while not all(connection.reads for connection in paused):
            assert [connection.reads for connection in paused] == sorted(
                (connection.reads for connection in paused), reverse=True
            )
            await asyncio.sleep(0.01)
        assert loop.time() - started >= RETRY_AFTER_SECONDS

    asyncio.run(count_reads())
