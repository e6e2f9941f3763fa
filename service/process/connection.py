"""A connection with limits: how many are open, and how long each may be silent."""

import asyncio
import fcntl
import math
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.process.crowd import MIN_SILENCE, MIN_STALL, Crowd
from service.process.linger import LingeringTransport

READ_SIZE = 32_768
"""Bytes that are read from a socket at once. asyncio's default of 256 KB adds up over the connections that wait."""

PROTOCOL_PARTS = (
    *("connection_made", "connection_lost", "data_received", "shutdown", "pause_writing", "resume_writing"),
    *("on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body", "on_message_complete"),
    *("on_response_complete", "_start_asgi_task", "_unset_keepalive_if_required", "timeout_keep_alive_handler"),
    *("client", "connections", "cycle", "expect_100_continue", "flow", "headers", "loop", "parser", "pipeline"),
    *("timeout_keep_alive", "timeout_keep_alive_task", "transport", "url"),
)
CYCLE_PARTS = ("disconnected", "keep_alive", "more_body", "response_complete", "response_started", "scope")
"""What LimitedConnection and its subclasses use of uvicorn's HttpToolsProtocol, and of its RequestResponseCycle."""


@dataclass(frozen=True)
class ConnectionLimits:
    """max_connections: open at once. header_timeout: seconds until the headers of a request must have arrived."""

    max_connections: int
    header_timeout: float
    crowd: Crowd = field(default_factory=Crowd)


class LimitedConnection(HttpToolsProtocol):
    """Opens and closes a connection. Subclasses parse and run its requests.

    Relies on PROTOCOL_PARTS of HttpToolsProtocol. Among them, `pipeline` holds the request that is queued.
    """

    cycle: Any
    """The newest request, None before the first."""

    def __init__(self, *args: Any, limits: ConnectionLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""  # uvicorn sets it when the first request begins
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None  # for headers, or for the rest of a body after its response
        self._write_timer: asyncio.TimerHandle | None = None  # while a response waits for its client to read
        self._last_arrival = 0.0  # time of the loop
        self._running: Any = None  # the cycle whose response is not complete
        self._in_headers = False
        self._is_fresh = True  # no request has begun

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, unless there are too many."""
        transport.max_size = READ_SIZE  # type: ignore[attr-defined]  # of asyncio's selector transport
        transport.set_write_buffer_limits(0)  # so that `pause_writing` tells of every response that waits
        self._lingering = LingeringTransport(transport, self.loop, self._is_client_sending)
        super().connection_made(cast(asyncio.Transport, self._lingering))
        if len(self.connections) > self._limits.max_connections:
            maximum, now = self._limits.max_connections, self.loop.time()
            self._limits.crowd.make_room(self, cast(set[LimitedConnection], self.connections), maximum, now)
        if not transport.is_closing():
            self._start_timer(self._limits.header_timeout, self._on_header_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection, unless a request is being answered or arrives: then after its response."""
        if not self._is_request_arriving():
            super().shutdown()

    def close_after_response(self) -> None:
        """Close the connection after the response to the newest request that has arrived."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def pause_writing(self) -> None:
        """End the connection unless its client reads the response within the time that headers may take."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.header_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        """Continue to write after the client has read everything."""
        self._stop_write_timer()
        super().resume_writing()

    def abort(self) -> None:
        """End the connection without a response."""
        self._stop_timer()
        self.transport.abort()

    @property
    def dispensable_from(self) -> float:
        """The time of the loop from which on this connection must make room: none while its request is served."""
        if self.cycle is not None and self.cycle.more_body:
            return math.inf if self.flow.read_paused else self._last_arrival + MIN_STALL
        if self._running is not None:
            return math.inf
        if self._timer is not None and (self._is_fresh or self._in_headers):
            return self._timer.when() - self._limits.header_timeout + MIN_SILENCE
        if self.timeout_keep_alive_task is not None:
            return self.timeout_keep_alive_task.when() - self.timeout_keep_alive + MIN_SILENCE
        return math.inf

    def _is_request_arriving(self) -> bool:
        """Return whether a part of a request has arrived that is not answered: parsed, or still in the kernel."""
        unread = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.FIONREAD, bytes(4))
        return self._in_headers or int.from_bytes(unread, sys.byteorder) > 0

    def _is_client_sending(self) -> bool:
        raise NotImplementedError

    def _on_header_timeout(self) -> None:
        raise NotImplementedError

    def _start_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _start_keep_alive(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
