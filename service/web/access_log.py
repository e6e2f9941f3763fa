"""The access log: one line per request. It never shows an image, a query string or a key."""

import json
import re
import time
from collections.abc import Callable
from typing import NamedTuple

MAX_PATH = 200
"""Characters of the path that a line shows."""

PLAIN = re.compile(r"[\w/.:~-]*", re.ASCII)
"""Text that needs no escapes: nearly every path and method."""


class AccessEntry(NamedTuple):
    """One request and its response. client: IP address. seconds: from the headers to the end of the response."""

    request_id: str
    client: str
    method: str
    path: str
    status: int
    seconds: float
    traceparent: str = ""


class AccessLog:
    """Formats entries as text or JSON, and writes each as one line."""

    def __init__(self, log_format: str, write: Callable[[str], None]) -> None:
        """Write with `write`, which appends a line end. log_format: text or json."""
        self._format = _as_json if log_format == "json" else _as_text
        self._write = write
        self._second = 0
        self._date = ""

    def add(self, entry: AccessEntry) -> None:
        """Write one line."""
        now = time.time()
        second = int(now)
        if second != self._second:  # most lines share their second, and formatting it takes longer than the rest
            self._second = second
            self._date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        self._write(self._format(entry, f"{self._date}.{int((now - second) * 1000):03d}+00:00"))


def _as_json(entry: AccessEntry, time: str) -> str:
    trace = f',"traceparent":"{entry.traceparent}"' if entry.traceparent else ""
    return (
        f'{{"time":"{time}","level":"info","message":"request","request_id":"{entry.request_id}"'
        f',"client":"{_escape(entry.client)}","method":"{_escape(entry.method)}","path":"{_escape(entry.path)}"'
        f',"status":{entry.status},"duration_ms":{entry.seconds * 1000:.3f}{trace}}}'
    )


def _as_text(entry: AccessEntry, time: str) -> str:
    trace = f" traceparent={entry.traceparent}" if entry.traceparent else ""
    request = f"{_escape(entry.method)} {_escape(entry.path)}"
    return (
        f'{time} {_escape(entry.client)} "{request}" {entry.status} {entry.seconds * 1000:.2f} ms'
        f" id={entry.request_id}{trace}"
    )


def _escape(text: str) -> str:
    """Shorten text of a client to MAX_PATH characters and escape it as JSON does: it could forge a line."""
    return text if len(text) <= MAX_PATH and PLAIN.fullmatch(text) else json.dumps(text[:MAX_PATH])[1:-1]
