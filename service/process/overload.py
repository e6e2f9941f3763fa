"""Answer small requests with 503 while too many are in flight.

This must cost little, because the requests that are served need the time.
"""

import asyncio
import re
from collections import deque
from typing import Protocol

from service.metrics.registry import Registry
from service.process.rejections import ANY_ORIGIN, CLOSE, raw_response
from service.web.error_response import INFERENCE_PATH, RETRY_AFTER_SECONDS

SHED_PER_SERVED = 3
"""Requests that may be shed per request that is served. So much is needed at four times the load that can be served."""

MAX_CREDIT = 1_000
"""Requests that may be shed in a burst."""

MIN_INTERVAL = 0.01
"""Minimum seconds between two looks at the connections that wait."""

DETAIL = "The service is busy: too many requests are in flight. Try again in a moment."


REQUEST_LINE = re.compile(rb"POST /[!-~]* HTTP/1\.1\r\n")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,9}) *(?:\r|$)")
SPECIAL = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade|connection|[ \t])")
"""Headers that change how a request is framed or answered, and lines that continue a header."""


def is_ordinary_post(data: bytes) -> bool:
    """Return whether the data is exactly one POST request, without anything that takes a parser to understand."""
    head, _, body = data.partition(b"\r\n\r\n")
    if REQUEST_LINE.match(head) is None:
        return False
    lines = head.lower()
    length = LENGTH.search(lines)
    return (
        length is not None
        and int(length[1]) == len(body)
        and lines.count(b"\r\ncontent-length") == 1
        and SPECIAL.search(lines) is None
        and lines.count(b"\r\n") == lines.count(b"\n") == lines.count(b"\r")
    )


class PausedConnection(Protocol):
    """A connection whose last request was shed, and which is not read."""

    def read_again(self) -> None:
        """Resume reading."""


METHOD = b"POST "
INFERENCE_PREFIX = f"{INFERENCE_PATH}/".encode()

SHED, SHED_AND_CLOSE, SHED_INFERENCE, SHED_INFERENCE_AND_CLOSE = (
    raw_response(503, DETAIL, {**ANY_ORIGIN, **close}, path) for path in ("/", INFERENCE_PATH) for close in ({}, CLOSE)
)
"""Constant bytes without X-Request-ID: to find the client's own among its headers would take as long as the rest."""


def shed_response(text: bytes, start: int = 0, *, keep_alive: bool) -> bytes:
    """Return the 503 for the path that begins at `start` of a text."""
    if text.startswith(INFERENCE_PREFIX, start):
        return SHED_INFERENCE if keep_alive else SHED_INFERENCE_AND_CLOSE
    return SHED if keep_alive else SHED_AND_CLOSE


class Overload:
    """Counts the small requests in flight, and queues the connections of those that were shed.

    A client that ignores Retry-After sends its next request at once. Answering a thousand of them again and again would
    halve the throughput. So beyond SHED_PER_SERVED a connection whose request was shed is not read for
    RETRY_AFTER_SECONDS, unless there is room earlier.
    """

    def __init__(self, max_in_flight: int, max_credit: int = MAX_CREDIT) -> None:
        """Shed requests while `max_in_flight` small ones are in flight, `max_credit` of them without a pause.

        `shed` counts them.
        """
        self.shed = 0
        self._max = max_in_flight
        self._count = 0
        self._paused: deque[tuple[float, PausedConnection]] = deque()  # when each is read again, in the loop's time
        self._is_waiting = False
        self._credit = self._max_credit = max_credit

    @property
    def is_full(self) -> bool:
        """Return whether the next small request is shed."""
        return self._count >= self._max

    def begin(self) -> None:
        """Count a small request."""
        self._count += 1

    def end(self) -> None:
        """Stop counting a small request. Read SHED_PER_SERVED connections again, or all that fit once half is free."""
        self._count -= 1
        if not self._paused:
            self._credit = min(self._credit + SHED_PER_SERVED, self._max_credit)
            return
        room = self._max - self._count if self._count <= self._max // 2 else 0
        for _ in range(min(max(room, SHED_PER_SERVED), len(self._paused))):
            self._read_next()

    def count_shed(self) -> bool:
        """Count a request that is shed. Return whether its connection may be read on."""
        self.shed += 1
        self._credit = max(self._credit - 1, 0)
        return self._credit > 0

    def pause(self, connection: PausedConnection) -> None:
        """Queue a connection whose request was shed, and whose reading is paused."""
        loop = asyncio.get_running_loop()
        self._paused.append((loop.time() + RETRY_AFTER_SECONDS, connection))
        if not self._is_waiting:
            self._wait(loop, RETRY_AFTER_SECONDS)

    def _wait(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._is_waiting = True
        loop.call_later(max(seconds, MIN_INTERVAL), self._read_due, loop)

    def _read_due(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_waiting = False
        while self._paused and self._paused[0][0] <= loop.time():
            self._read_next()
        if self._paused:
            self._wait(loop, self._paused[0][0] - loop.time())

    def _read_next(self) -> None:
        _, connection = self._paused.popleft()
        connection.read_again()


def declare_overload(registry: Registry, overload: Overload) -> None:
    """Expose the requests that were shed. No other metric and no log counts them: that would cost more than the 503."""
    shed = registry.gauge(
        "digit_service_shed_total", "Small requests that got 503 because too many were in flight.", kind="counter"
    )
    registry.on_refresh(lambda: shed.set(overload.shed))
