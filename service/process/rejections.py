"""Responses to requests that the application does not see."""

import json
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.web.request_id import HEADER

MAX_URL_BYTES = 8_192
MAX_HEADER_BYTES = 32_768
"""Size limit for all headers of one request, names and values."""


@dataclass(frozen=True)
class Rejection:
    """Status and detail of the response to a request that the application does not see."""

    status: int
    detail: str

    def response(self, request_id: bytes) -> bytes:
        """Return the response, which announces the end of the connection."""
        body = json.dumps({"detail": self.detail}).encode()
        head = b"content-type: application/json\r\nconnection: close\r\n%b: %b\r\n" % (HEADER, request_id)
        head += b"retry-after: 1\r\n" if self.status == 503 else b""
        return STATUS_LINE[self.status] + head + b"content-length: %d\r\n\r\n" % len(body) + body


class RejectedError(Exception):
    """Stops the parser."""


MALFORMED = Rejection(400, "The request is not valid HTTP/1.1.")
TOO_MANY_REQUESTS = Rejection(400, "More than one request is queued on this connection.")
URL_TOO_LONG = Rejection(414, f"The URL is longer than {MAX_URL_BYTES} bytes.")
STOPPED = Rejection(503, "The service stops. Send the request again.")
HEADERS_TOO_LARGE = Rejection(431, f"The headers are larger than {MAX_HEADER_BYTES} bytes.")


async def respond_stopped(send: Any) -> None:
    """Respond to a request that takes longer than the server waits for at its end."""
    body = json.dumps({"detail": STOPPED.detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), (b"retry-after", b"1")]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
