"""Requests in flight are counted from before their handler until their response, over real sockets."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn

from service.inference.in_flight import InFlight
from service.process.server import CountingProtocol
from tests.service.process.running_service import TIMEOUT, wait_until


class CountingApp:
    """An ASGI app that records the count of requests in flight, and responds when it is released."""

    def __init__(self) -> None:
        self.in_flight = InFlight()
        self.counts: list[int] = []
        self.is_blocked = threading.Event()
        self.release = threading.Event()

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        self.counts.append(self.in_flight.count)
        if scope["path"] == "/fail":
            raise ZeroDivisionError
        if scope["path"] == "/block":  # the event loop
            self.is_blocked.set()
            self.release.wait(TIMEOUT)
        while scope["path"] == "/wait" and not self.release.is_set():
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    @contextmanager
    def running(self) -> Iterator[int]:
        """Serve in a thread and yield the port."""
        http_protocol = partial(CountingProtocol, in_flight=self.in_flight)
        server = uvicorn.Server(
            uvicorn.Config(
                self,
                port=0,
                http=http_protocol,  # type: ignore[arg-type]  # uvicorn only calls it
                lifespan="off",
                log_config=None,
            )
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield int(server.servers[0].sockets[0].getsockname()[1])
        finally:
            self.release.set()
            server.should_exit = True
            thread.join(TIMEOUT)
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
    app = CountingApp()
    with app.running() as port:
        assert [get(port, path) for path in ("/", "/fail", "/")] == [204, 500, 204]
        wait_until(lambda: app.in_flight.count == 0)
    assert app.counts == [1, 1, 1]


def test_concurrent_requests_are_counted() -> None:
    """Count every request that has arrived and is not answered yet, and 0 when all are answered."""
    app = CountingApp()
    with app.running() as port, ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(get, port, "/wait") for _ in range(3)]
        wait_until(lambda: len(app.counts) == 3)
        assert app.in_flight.count == 3
        assert get(port, "/") == 204
        assert app.counts[3] == 4
        app.release.set()
        assert [client.result() for client in waiting] == [204] * 3
        wait_until(lambda: app.in_flight.count == 0)


def test_requests_of_one_iteration_count_before_their_handlers_start() -> None:
    """Count 2 in the first handler of two requests that arrive in one iteration, and 1 after its response."""
    app = CountingApp()
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


def test_disconnected_client_is_not_counted() -> None:
    """Count 0 after the handler of a client that has disconnected ends."""
    app = CountingApp()
    with app.running() as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: app.in_flight.count == 1)
        app.release.set()
        wait_until(lambda: app.in_flight.count == 0)


def test_pipelined_requests_are_counted_one_by_one() -> None:
    """Count 1 in each handler of requests that arrive at once on one connection, as they run one by one."""
    app = CountingApp()
    with app.running() as port:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
            wait_until(lambda: len(app.counts) == 3)
        wait_until(lambda: app.in_flight.count == 0)
    assert app.counts == [1, 1, 1]
