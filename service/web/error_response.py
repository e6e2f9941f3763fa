"""The form of every error response: `{"detail": "a sentence"}`, with the headers that its status needs."""

from collections.abc import Mapping

from starlette.responses import JSONResponse

RETRY_AFTER_SECONDS = 1
"""Seconds after which a client that got 503 may try again."""

RETRY_AFTER = {"Retry-After": str(RETRY_AFTER_SECONDS)}
CLOSE = {"Connection": "close"}

HEADERS = {503: RETRY_AFTER, 401: CLOSE, 408: CLOSE, 413: CLOSE}
"""Where the rest of a body is not wanted, the connection is closed."""

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
"""In every response: it is data, which no browser may interpret as a page, embed or keep. The middleware adds them."""


def error_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Build the response with this detail, the headers that its status needs, and more headers."""
    return JSONResponse({"detail": detail}, status, {**HEADERS.get(status, {}), **(headers or {})})
