"""The access log: one line per request. It never shows an image, a query string or a key."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_PATH = 200
"""Characters of the path that a line shows."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class AccessEntry:
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

    def add(self, entry: AccessEntry) -> None:
        """Write one line."""
        self._write(self._format(entry, datetime.now(UTC).isoformat(timespec="milliseconds")))


def _as_json(entry: AccessEntry, time: str) -> str:
    line = {
        "time": time,
        "level": "info",
        "message": "request",
        "request_id": entry.request_id,
        "client": entry.client,
        "method": entry.method,
        "path": entry.path[:MAX_PATH],
        "status": entry.status,
        "duration_ms": round(entry.seconds * 1000, 3),
    }
    if entry.traceparent:
        line["traceparent"] = entry.traceparent
    return _encode(line)


def _as_text(entry: AccessEntry, time: str) -> str:
    path = _encode(entry.path[:MAX_PATH])[1:-1]  # without control characters, which could forge a line
    trace = f" traceparent={entry.traceparent}" if entry.traceparent else ""
    request = f'{entry.client} "{entry.method} {path}" {entry.status} {entry.seconds * 1000:.2f} ms'
    return f"{time} {request} id={entry.request_id}{trace}"
