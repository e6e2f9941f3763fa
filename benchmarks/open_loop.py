"""A load generator that does not wait for responses: requests are due at a fixed rate, whatever the service does."""

import select
import socket
import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.payloads import Request

MAX_SENDS = 64
"""Requests that are sent before responses are looked at again, when the generator is late."""


@dataclass
class Results:
    """The results of a load. seconds: its length. served, shed: milliseconds until each 200 and each 503.

    lost: connections that ended without a response. unsent: requests that were due while every connection was busy.
    """

    seconds: float = 0.0
    served: list[float] = field(default_factory=list)
    shed: list[float] = field(default_factory=list)
    lost: int = 0
    unsent: int = 0
    without_retry_after: int = 0

    @property
    def rate(self) -> float:
        """Requests that were served, per second."""
        return len(self.served) / self.seconds


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of milliseconds, 0 if there are none."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else 0.0


class OpenLoop:
    """Sends one request over kept connections. A connection has at most one request at a time."""

    def __init__(self, port: int, request: Request, connections: int) -> None:
        """Open the connections."""
        self._port = port
        self._message = _message(request)
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._sent_at: dict[int, float] = {}
        self._free: deque[int] = deque()
        self.results = Results()
        for _ in range(connections):
            self._connect()

    def run(self, rate: float, seconds: float, warm_up: float = 1.0) -> Results:
        """Send `rate` requests per second, as fast as there are responses if it is 0. Counts after the warm-up."""
        self._run(rate, warm_up)
        self.results = Results()
        self._run(rate, seconds)
        for connection in self._sockets.values():
            connection.close()
        self._poll.close()
        return self.results

    def _run(self, rate: float, seconds: float) -> None:
        start = time.perf_counter()
        due = 0
        while (now := time.perf_counter() - start) < seconds:
            count = int(now * rate) - due if rate else len(self._free)
            due += count
            self._send(count)
            self._receive(0.0 if self._free else 0.001)
        self.results.seconds = time.perf_counter() - start

    def _send(self, count: int) -> None:
        for number in range(count):
            if not self._free:
                self.results.unsent += count - number
                return
            descriptor = self._free.popleft()
            self._sent_at[descriptor] = time.perf_counter()  # a failed send counts as lost
            try:
                self._sockets[descriptor].send(self._message)
            except OSError:
                self._reconnect(descriptor)
            if number % MAX_SENDS == MAX_SENDS - 1:
                self._receive(0.0)

    def _receive(self, timeout: float) -> None:
        for descriptor, _ in self._poll.poll(timeout):
            try:
                data = self._sockets[descriptor].recv(65_536)
            except OSError:
                data = b""
            if not data:
                self._reconnect(descriptor)
            else:
                self._count(descriptor, data)

    def _count(self, descriptor: int, data: bytes) -> None:
        """Count a response. Its head arrives in one piece; what arrives after that belongs to its body."""
        sent_at = self._sent_at.get(descriptor)
        if sent_at is None or not data.startswith(b"HTTP/1.1 "):
            return
        del self._sent_at[descriptor]
        self._free.append(descriptor)
        milliseconds = 1e3 * (time.perf_counter() - sent_at)
        if data[9:12] == b"200":
            self.results.served.append(milliseconds)
            return
        self.results.shed.append(milliseconds)
        self.results.without_retry_after += data[9:12] != b"503" or b"retry-after: " not in data.lower()

    def _reconnect(self, descriptor: int) -> None:
        if self._sent_at.pop(descriptor, None) is not None:
            self.results.lost += 1
        else:
            self._free.remove(descriptor)
        self._poll.unregister(descriptor)
        self._sockets.pop(descriptor).close()
        self._connect()

    def _connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._sockets[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLIN)
        self._free.append(connection.fileno())


def _message(request: Request) -> bytes:
    head = f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {request.content_type}\r\n"
    return f"{head}Content-Length: {len(request.body)}\r\n\r\n".encode() + request.body
