"""uvicorn's HTTP/1.1 protocol with limits at the edge: headers, time, connections, pipelining and upgrades."""

import asyncio
import fcntl
import json
import logging
import math
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.process.crowd import MIN_SILENCE, MIN_STALL, Crowd
from service.process.linger import MAX_DROP_SECONDS, LingeringTransport
from service.web.readiness import State
from service.web.request_id import HEADER
from service.web.server_state import ServerState

MAX_URL_BYTES = 8_192
MAX_HEADER_BYTES = 32_768
"""Size limit for all headers of one request, names and values."""

READ_SIZE = 32_768
"""Bytes that are read from a socket at once. asyncio's default of 256 KB adds up over the connections that wait."""

FRAMING_HEADERS = (b"content-length", b"transfer-encoding")
FRAMING_LENGTHS = tuple(map(len, FRAMING_HEADERS))

log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class ConnectionLimits:
    """max_connections: open at once. header_timeout: seconds until the headers of a request must have arrived."""

    max_connections: int
    header_timeout: float
    crowd: Crowd = field(default_factory=Crowd)


@dataclass(frozen=True)
class Rejection:
    """Status and detail of the response to a request that the application does not see."""

    status: int
    detail: str


class RejectedError(Exception):
    """Stops the parser."""


MALFORMED = Rejection(400, "The request is not valid HTTP/1.1.")
TOO_MANY_REQUESTS = Rejection(400, "More than one request is queued on this connection.")
URL_TOO_LONG = Rejection(414, f"The URL is longer than {MAX_URL_BYTES} bytes.")
STOPPED = Rejection(503, "The service stops. Send the request again.")
HEADERS_TOO_LARGE = Rejection(431, f"The headers are larger than {MAX_HEADER_BYTES} bytes.")


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    Relies on these parts of HttpToolsProtocol: its parser callbacks, `_start_asgi_task`, `cycle` (the newest request,
    None before the first) and `pipeline` (the queued one).
    """

    cycle: Any

    def __init__(self, *args: Any, state: ServerState, limits: ConnectionLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_flight = state.in_flight
        self._readiness = state.readiness
        self._recorder = state.recorder
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None  # for headers, or for the rest of a body after its response
        self._write_timer: asyncio.TimerHandle | None = None  # while a response waits for its client to read
        self._last_arrival = 0.0  # time of the loop
        self._running: Any = None  # the cycle whose response is not complete
        self._task: asyncio.Task[Any] | None = None
        self._rejection: Rejection | None = None  # whatever arrives after it is dropped
        self._header_bytes = 0
        self._unparsed_bytes = 0  # since the last callback of the parser
        self._in_headers = False
        self._is_fresh = True  # no request has begun
        self._is_replay = False
        self._has_large_body = False

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, unless there are too many."""
        transport.max_size = READ_SIZE  # type: ignore[attr-defined]  # of asyncio's selector transport
        transport.set_write_buffer_limits(0)  # so that `pause_writing` tells of every response that waits
        self._lingering = LingeringTransport(transport, self.loop, self._is_client_sending)
        super().connection_made(cast(asyncio.Transport, self._lingering))
        if len(self.connections) > self._limits.max_connections:
            maximum, now = self._limits.max_connections, self.loop.time()
            self._limits.crowd.make_room(self, cast(set[HttpProtocol], self.connections), maximum, now)
        if not transport.is_closing():
            self._start_timer(self._limits.header_timeout, self._on_header_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the work for a client that has disconnected."""
        self._stop_timer()
        self._stop_write_timer()
        super().connection_lost(exc)
        self._abandon_running()

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived."""
        if self._rejection is not None or self._lingering.is_lingering:
            self._lingering.drop(len(data))
            return
        self._unparsed_bytes += len(data)
        self._last_arrival = self.loop.time()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._reject(self._rejection or MALFORMED)
        else:
            self._limit_unparsed()

    def shutdown(self) -> None:
        """Close the connection, unless a request is being answered or arrives: then after its response."""
        if not self._is_request_arriving():
            super().shutdown()

    def close_after_response(self) -> None:
        """Close the connection after the response to the newest request that has arrived."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def respond_stopped(self) -> None:
        """Respond with 503 and close, if the work for a request goes on although it has been cancelled."""
        if self._running is not None and not self._running.response_started and not self.transport.is_closing():
            self._write_rejection(STOPPED)
            self.transport.close()
            self._abandon_running()

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

    def _limit_unparsed(self) -> None:
        """Limit time and size of headers that are not complete. The parser collects each of them until its end."""
        if self._unparsed_bytes > MAX_HEADER_BYTES:
            self._reject(HEADERS_TOO_LARGE)
        elif self._in_headers and self._timer is None:
            self._start_timer(self._limits.header_timeout, self._on_header_timeout)

    # Parser callbacks

    def on_message_begin(self) -> None:
        """Begin a request. At most one is queued behind the one that is being answered."""
        if self._is_replay:
            return
        if self.pipeline:
            self._stop_parser(TOO_MANY_REQUESTS)
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._lingering.reset_dropped()
        self._header_bytes = 0
        self._has_large_body = False
        self._in_headers = True
        self._is_fresh = False

    def on_url(self, url: bytes) -> None:
        """Collect the URL up to its limit."""
        if self._is_replay:
            return
        self._unparsed_bytes = 0
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._stop_parser(URL_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header up to the limit of all headers."""
        if self._is_replay:
            return
        self._unparsed_bytes = 0
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > MAX_HEADER_BYTES:
            self._stop_parser(HEADERS_TOO_LARGE)
        super().on_header(name, value)
        if len(name) in FRAMING_LENGTHS and self.headers[-1][0] in FRAMING_HEADERS:
            self._has_large_body = not value.isdigit() or int(value) > READ_SIZE

    def on_headers_complete(self) -> None:
        """Start the request. While the service drains, the response closes the connection."""
        if self._is_replay:
            return
        self._stop_timer()
        self._in_headers = False
        super().on_headers_complete()
        if self._has_large_body:
            self.flow.pause_reading()  # until the app reads the body, or has responded
        if self._readiness.state is State.DRAINING:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body, or drop it if the response is complete."""
        self._unparsed_bytes = 0
        if self.cycle.response_complete:
            self._lingering.drop(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body. For an upgrade offer the parser says so before the body: it is parsed next."""
        self._unparsed_bytes = 0
        if self.parser.should_upgrade():
            return
        if self.cycle.response_complete:
            self._stop_timer()
            self._start_keep_alive()
        super().on_message_complete()
        self.cycle.more_body = False

    # Requests

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._in_flight.begin()
        self._running = cycle
        super()._start_asgi_task(cycle, partial(self._run, cycle, app))

    async def _run(self, cycle: Any, app: Any, scope: Any, receive: Any, send: Any) -> None:
        """Run the app for one request, until it has responded or its client has gone."""
        self._task = asyncio.current_task()
        try:
            if not cycle.disconnected:
                await app(scope, receive, send)
        except asyncio.CancelledError:
            if not cycle.disconnected and not cycle.response_started:
                await _respond_stopped(send)
        finally:
            if self._running is cycle:
                self._running = self._task = None
            self._in_flight.end()

    def on_response_complete(self) -> None:
        """Start the queued request, or wait for the next one, or for the rest of the body."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._start_timer(MAX_DROP_SECONDS, self.transport.close)

    def _abandon_running(self) -> None:
        """Cancel the request that is being answered, without a response."""
        if self._running is None:
            return
        self._running.disconnected = True
        if self._task is not None:
            self._task.cancel()
        self._running = self._task = None

    def _is_client_sending(self) -> bool:
        return self._rejection is not None or (self.cycle is not None and self.cycle.more_body)

    # Upgrades

    def _parse(self, data: bytes) -> None:
        """Parse data. Upgrade offers are ignored, as RFC 9110 allows.

        The parser stops at the headers of such a request. Java's HttpClient offers h2c by default, and curl does with
        `--http2`.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._replace_parser()
            self._parse(data[upgrade.args[0] :])

    def _replace_parser(self) -> None:
        """Continue after the headers with a new parser, which knows only how the body is framed."""
        framing = [name + b": " + value for name, value in self.headers if name in FRAMING_HEADERS]
        self.parser = httptools.HttpRequestParser(self)
        self._is_replay = True
        self.parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *framing, b"", b""]))
        self._is_replay = False

    # Rejections

    def _stop_parser(self, rejection: Rejection) -> NoReturn:
        self._rejection = rejection
        raise RejectedError

    def _reject(self, rejection: Rejection) -> None:
        """Answer an invalid request and close. Requests before it on this connection are answered first."""
        log.warning("Rejected a request: %s", rejection.detail)
        self._rejection = rejection
        is_answered = self.cycle is not None and self.cycle.more_body and self.cycle.response_started
        if self.cycle is not None and self.cycle.more_body:
            self._drop_newest()
        if self._running is not None and not self._running.response_complete:
            (self.cycle if self.pipeline else self._running).keep_alive = False
            return
        if not is_answered:
            self._write_rejection(rejection)
        self.transport.close()

    def _drop_newest(self) -> None:
        """Drop the newest request, whose body is malformed."""
        if self.pipeline:
            self.pipeline.clear()
        else:
            self._abandon_running()

    def _write_rejection(self, rejection: Rejection) -> None:
        request_id = self._recorder.choose_id([])
        self._recorder.record({"client": self.client}, request_id, rejection.status, 0.0)
        body = json.dumps({"detail": rejection.detail}).encode()
        head = b"content-type: application/json\r\nconnection: close\r\n%b: %b\r\n" % (HEADER, request_id)
        head += b"retry-after: 1\r\n" if rejection.status == 503 else b""
        self.transport.write(STATUS_LINE[rejection.status] + head + b"content-length: %d\r\n\r\n" % len(body) + body)

    # Timers

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

    def _on_header_timeout(self) -> None:
        self._timer = None
        if self._is_fresh:  # nothing has arrived, so nobody waits for a response
            self.transport.abort()
            return
        self._reject(Rejection(408, f"The headers did not arrive within {self._limits.header_timeout:g} s."))


async def _respond_stopped(send: Any) -> None:
    """Respond to a request that takes longer than the server waits for at its end."""
    body = json.dumps({"detail": STOPPED.detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), (b"retry-after", b"1")]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
