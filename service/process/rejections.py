"""Responses to requests that the application does not see."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.web.error_response import SECURITY_HEADERS, error_response
from service.web.request_id import HEADER
from service.web.request_limits import MAX_HEADER_BYTES, MAX_URL_BYTES

CLOSE = {"Connection": "close"}
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
"""Scripts of any origin may read the response and when to try again: it tells nothing about the client."""


@dataclass(frozen=True)
class Rejection:
    """Status and detail of the response to a request that the application does not see."""

    status: int
    detail: str

    def response(self, request_id: bytes, path: str) -> bytes:
        """Return the response to a request for this path, which announces the end of the connection."""
        return raw_response(self.status, self.detail, {**CLOSE, HEADER.decode(): request_id.decode()}, path)


class RejectedError(Exception):
    """Stops the parser."""


MALFORMED = Rejection(400, "The request is not valid HTTP/1.1.")
TOO_MANY_REQUESTS = Rejection(400, "More than one request is queued on this connection.")
URL_TOO_LONG = Rejection(414, f"The URL is longer than {MAX_URL_BYTES} bytes.")
STOPPED = Rejection(503, "The service stops. Send the request again.")
HEADERS_TOO_LARGE = Rejection(431, f"The headers are larger than {MAX_HEADER_BYTES} bytes.")


def raw_response(status: int, detail: str, headers: Mapping[str, str], path: str) -> bytes:
    """Return a whole response as it is sent, with the security headers of every response."""
    response = error_response(status, detail, headers)
    response.adapt_to(path)
    lines = [b"%b: %b\r\n" % header for header in (*response.raw_headers, *SECURITY_HEADERS)]
    return b"".join([STATUS_LINE[status], *lines, b"\r\n", response.body])


async def respond_stopped(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to a request that takes longer than the server waits for at its end. An ASGI app."""
    response = error_response(STOPPED.status, STOPPED.detail, {**ANY_ORIGIN, **CLOSE})
    response.raw_headers += SECURITY_HEADERS
    await response(scope, receive, send)
