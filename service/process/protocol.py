"""uvicorn's HTTP/1.1 protocol with limits at the edge: headers, time, connections, pipelining and upgrades."""

import logging
from typing import Any, NoReturn

import httptools

from service.process.connection import READ_SIZE
from service.process.linger import MAX_DROP_SECONDS
from service.process.rejections import (
    HEADERS_TOO_LARGE,
    MALFORMED,
    TOO_MANY_REQUESTS,
    URL_TOO_LONG,
    RejectedError,
    Rejection,
)
from service.process.requests import RequestRunner
from service.web.request_limits import MAX_HEADER_BYTES, MAX_URL_BYTES

FRAMING_HEADERS = (b"content-length", b"transfer-encoding")
FRAMING_LENGTHS = tuple(map(len, FRAMING_HEADERS))
HEADER_OVERHEAD = len(b": \r\n")

log = logging.getLogger("uvicorn.error")


class HttpProtocol(RequestRunner):
    """Parses the requests of one connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rejection: Rejection | None = None  # whatever arrives after it is dropped
        self._header_bytes = 0
        self._unparsed_bytes = 0  # since the last callback of the parser
        self._is_replay = False

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived."""
        if self._rejection is not None or self._lingering.is_lingering:
            self._lingering.drop(len(data))
            return
        if self._overload.is_full and self._shed_unparsed(data):
            return
        self._unparsed_bytes += len(data)
        self._last_arrival = self.loop.time()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._reject(self._rejection or MALFORMED)
        else:
            self._limit_unparsed()

    def _limit_unparsed(self) -> None:
        """Limit time and size of headers that are not complete. The parser collects each of them until its end."""
        if self._unparsed_bytes > MAX_HEADER_BYTES:
            self._reject(HEADERS_TOO_LARGE)
        elif self._in_headers and self._timer is None:
            self._start_timer(self._limits.header_timeout, self._on_header_timeout)
        elif self._is_shed and self._timer is None:
            self._start_timer(MAX_DROP_SECONDS, self.transport.close)

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
        self._header_bytes += len(name) + len(value) + HEADER_OVERHEAD
        if self._header_bytes > MAX_HEADER_BYTES:
            self._stop_parser(HEADERS_TOO_LARGE)
        super().on_header(name, value)
        if len(name) in FRAMING_LENGTHS and self.headers[-1][0] in FRAMING_HEADERS:
            self._has_large_body = not value.isdigit() or int(value) > READ_SIZE

    def on_headers_complete(self) -> None:
        """Start the request. Once the service stops, the response closes the connection."""
        if self._is_replay:
            return
        self._stop_timer()
        self._in_headers = False
        if self._overload.is_full and self._can_be_shed():
            self._shed()
            return
        super().on_headers_complete()
        if self._has_large_body:
            self.flow.pause_reading()  # until the app reads the body, or has responded
        if self._readiness.is_ending:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body, or drop it if the response is complete."""
        self._unparsed_bytes = 0
        if self._is_shed:
            return
        if self.cycle.response_complete:
            self._lingering.drop(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body. For an upgrade offer, the parser calls this before the body, which `_parse` then parses."""
        self._unparsed_bytes = 0
        if self._is_shed:
            self._end_shed()
            return
        if self.parser.should_upgrade():
            return
        if self.cycle.response_complete:
            self._stop_timer()
            self._start_keep_alive()
        super().on_message_complete()
        self.cycle.more_body = False
        self._count_whole(self.cycle)

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

    def _is_client_sending(self) -> bool:
        return self._rejection is not None or self._is_shed or (self.cycle is not None and self.cycle.more_body)

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
            last = self.cycle if self.pipeline else self._running
            last.keep_alive = False  # its response announces the end: the rejected request gets none of its own
            return
        if not is_answered:
            self._write_rejection(rejection, self.url.partition(b"?")[0].decode("latin-1"))
        self.transport.close()

    def _on_header_timeout(self) -> None:
        self._timer = None
        if self._is_fresh:  # nothing has arrived, so nobody waits for a response
            self.transport.abort()
            return
        self._reject(Rejection(408, f"The headers did not arrive within {self._limits.header_timeout:g} s."))
