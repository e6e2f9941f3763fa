"""The protocol around an app of the test: requests in flight, vanished clients and the end, over real sockets."""

import asyncio
import http.client
import inspect
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState as UvicornState

from service.process import connection, protocol, requests
from service.process.connection import CYCLE_PARTS, PROTOCOL_PARTS, ConnectionLimits
from service.process.overload import Overload
from service.process.protocol import HttpProtocol
from service.process.start_queue import StartQueue
from service.web.readiness import State
from service.web.server_state import ServerState
from tests.service.process.connection import Connection
from tests.service.process.connection import get as get_request
from tests.service.process.running_service import TIMEOUT, wait_until

KEEP_ALIVE_SECONDS = 1


class RecordingApp:
    """An ASGI app that records the count of requests in flight, and responds when it is released."""

    def __init__(self, max_in_flight: int = 1_000, max_credit: int = 1_000) -> None:
        self.state = ServerState()
        self.overload = Overload(max_in_flight, max_credit)
        self.counts: list[int] = []
        self.cancelled = 0
        self.is_blocked = threading.Event()
        self.release = threading.Event()

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        self.counts.append(self.state.in_flight.count)
        if scope["path"] == "/fail":
            raise ZeroDivisionError
        if scope["path"] == "/block":  # the event loop
            self.is_blocked.set()
            self.release.wait(TIMEOUT)
        if scope["path"] in ("/wait", "/v2/wait"):
            await self._wait_for_release()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _wait_for_release(self) -> None:
        try:
            while not self.release.is_set():
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def stop(self) -> None:
        """Let the server stop with its next tick."""
        self._server.should_exit = True

    @contextmanager
    def running(self) -> Iterator[int]:
        """Serve in a thread and yield the port. The server waits at its end for at most one second."""
        limits = ConnectionLimits(max_connections=100, header_timeout=TIMEOUT)
        protocol = partial(HttpProtocol, state=self.state, overload=self.overload, starts=StartQueue(), limits=limits)
        config = uvicorn.Config(
            self,
            port=0,
            http=protocol,  # type: ignore[arg-type]  # uvicorn only calls it
            lifespan="off",
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        server = self._server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield int(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(TIMEOUT)
            self.release.set()
        assert not thread.is_alive()


def get(port: int, path: str) -> int:
    """Return the status of a response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_request_counts_from_before_its_handler_until_its_response() -> None:
    """Count 1 in the handler of the only request, and 0 after each response, also after an unexpected error."""
    app = RecordingApp()
    with app.running() as port:
        assert [get(port, path) for path in ("/", "/fail", "/")] == [204, 500, 204]
        wait_until(lambda: app.state.in_flight.count == 0)
    assert app.counts == [1, 1, 1]


def test_concurrent_requests_are_counted() -> None:
    """Count every request that has arrived and is not answered yet, and 0 when all are answered."""
    app = RecordingApp()
    with app.running() as port, ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(get, port, "/wait") for _ in range(3)]
        wait_until(lambda: len(app.counts) == 3)
        assert app.state.in_flight.count == 3
        assert get(port, "/") == 204
        assert app.counts[3] == 4
        app.release.set()
        assert [client.result() for client in waiting] == [204] * 3
        wait_until(lambda: app.state.in_flight.count == 0)


def test_requests_of_one_iteration_count_before_their_handlers_start() -> None:
    """Count 2 in the first handler of two requests that arrive in one iteration, and 1 after its response."""
    app = RecordingApp()
    with app.running() as port, ThreadPoolExecutor(1) as blocker:
        clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT) for _ in range(2)]
        for client in clients:  # connect, so that the next request is read in one step
            client.request("GET", "/")
            client.getresponse().read()
        blocked = blocker.submit(get, port, "/block")
        assert app.is_blocked.wait(TIMEOUT)
        for client in clients:
            client.request("GET", "/")
        app.release.set()
        assert [client.getresponse().status for client in clients] == [204, 204]
        assert blocked.result() == 204
        for client in clients:
            client.close()
    assert app.counts == [1, 1, 1, 2, 1]


def test_pipelined_requests_are_counted_one_by_one() -> None:
    """Count 1 in each handler of requests that arrive at once on one connection, as they run one by one."""
    app = RecordingApp()
    with app.running() as port:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client:
            client.sendall(get_request("/") * 2)
            wait_until(lambda: len(app.counts) == 2)
        wait_until(lambda: app.state.in_flight.count == 0)
    assert app.counts == [1, 1]


@pytest.mark.parametrize("waiting", [1, 2], ids=["alone", "with one queued"])
def test_work_for_a_vanished_client_is_cancelled(caplog: pytest.LogCaptureFixture, waiting: int) -> None:
    """Cancel the request of a client that has disconnected, never start a queued one, and log nothing."""
    app = RecordingApp()
    with app.running() as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(get_request("/wait") * waiting)
            wait_until(lambda: app.state.in_flight.count == 1)
            time.sleep(0.05)
        if waiting == 2:  # reading is paused until the first is answered, so its end is noticed then
            app.release.set()
        wait_until(lambda: app.state.in_flight.count == 0)
        assert get(port, "/") == 204
    assert app.cancelled == (waiting == 1)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_request_that_outlasts_the_server_gets_503(caplog: pytest.LogCaptureFixture) -> None:
    """Respond with 503 to a request that the server does not wait for at its end, without a traceback."""
    app = RecordingApp()
    with app.running() as port:
        connection = Connection(port)
        connection.send(get_request("/wait"))
        wait_until(lambda: app.state.in_flight.count == 1)
    response = connection.receive()
    assert (response.status, response.closes) == (503, True)
    assert response.content == {"detail": "The service stops. Send the request again."}
    assert response.headers["access-control-allow-origin"] == "*"  # a script may read when to try again
    assert app.cancelled == 1
    assert "Traceback" not in caplog.text
    connection.socket.close()


def test_response_closes_the_connection_while_the_service_drains() -> None:
    """Close kept connections with their next response once the service drains."""
    app = RecordingApp()
    with app.running() as port, Connection(port) as connection:
        assert not connection.ask(get_request("/")).closes
        app.state.readiness.state = State.DRAINING
        assert connection.ask(get_request("/")).closes
        assert connection.is_at_end()


def test_request_that_arrives_at_the_end_is_answered() -> None:
    """Answer requests that wait unread in the kernel, or are half received, when idle connections are closed."""
    app = RecordingApp()
    with app.running() as port, Connection(port) as half, Connection(port) as unread, Connection(port) as idle:
        for connection in (half, unread, idle):
            assert connection.ask(get_request("/")).status == 204
        half.send(get_request("/")[:-2])
        with ThreadPoolExecutor(1) as blocker:
            blocked = blocker.submit(get, port, "/block")
            assert app.is_blocked.wait(TIMEOUT)
            app.state.readiness.state = State.DRAINING
            app.stop()
            unread.send(get_request("/"))
            app.release.set()
            assert blocked.result() == 204
        assert unread.receive().closes
        assert idle.is_at_end()
        assert half.ask(b"\r\n").closes


@pytest.mark.parametrize("after", [b"", b"\r\n\r\n"], ids=["nothing", "blank lines"])
def test_idle_connection_is_closed(after: bytes) -> None:
    """Close a connection that begins no further request within the keep-alive time."""
    app = RecordingApp()
    with app.running() as port, Connection(port) as connection:
        assert connection.ask(get_request("/")).status == 204
        begun = time.monotonic()
        connection.send(after)
        assert connection.is_at_end()
        assert time.monotonic() - begun < KEEP_ALIVE_SECONDS + 0.5


def test_connection_is_kept_after_a_dropped_body() -> None:
    """Close a connection only after the keep-alive time if a body went on after its response."""
    app = RecordingApp()
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
    with app.running() as port, Connection(port) as connection:
        assert connection.ask(post).status == 204
        time.sleep(KEEP_ALIVE_SECONDS + 0.2)  # the rest of a body may take longer
        connection.send(b"abc")
        assert connection.ask(get_request("/")).status == 204
        assert connection.ask(post).status == 204
        connection.send(b"abc")
        begun = time.monotonic()
        assert connection.is_at_end()
        assert time.monotonic() - begun < KEEP_ALIVE_SECONDS + 0.5


def used_by_the_protocol(pattern: str) -> set[str]:
    """Return the attributes that the modules of the protocol use after a pattern."""
    sources = "".join(map(inspect.getsource, (connection, requests, protocol)))
    return set(re.findall(rf"\b(?:{pattern})\.(\w+)", sources))


def test_parts_of_uvicorn_exist() -> None:
    """List exactly the parts of uvicorn's protocol that ours uses: an update that removes one must fail here."""
    loop = asyncio.new_event_loop()
    base = HttpToolsProtocol(uvicorn.Config(RecordingApp(), log_config=None), UvicornState(), {}, loop)
    base.on_message_begin()  # which sets the rest
    loop.close()
    overridden = set(vars(HttpProtocol)) | set(vars(requests.RequestRunner)) | set(vars(connection.LimitedConnection))
    used = used_by_the_protocol(r"self|super\(\)") | overridden
    assert {name for name in used if hasattr(base, name) and not name.startswith("__")} == set(PROTOCOL_PARTS)


def test_parts_of_a_request_exist() -> None:
    """List exactly the attributes of uvicorn's request that ours uses, and find each in its constructor."""
    assert used_by_the_protocol("cycle|_running|last") == set(CYCLE_PARTS)
    constructor = inspect.getsource(RequestResponseCycle.__init__)
    assert all(re.search(rf"\bself\.{name}\b", constructor) for name in CYCLE_PARTS)
