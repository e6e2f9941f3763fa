"""The form of every error response: `{"detail": "a sentence"}`, with the headers that its status needs.

At the paths of the Open Inference Protocol it is `{"error": "a sentence"}`, as that protocol says.
"""

from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

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


INFERENCE_PATH = "/v2"
"""The Open Inference Protocol has this path and all below it."""


def is_inference_path(path: str) -> bool:
    """Return whether a path belongs to the Open Inference Protocol."""
    return path == INFERENCE_PATH or path.startswith(f"{INFERENCE_PATH}/")


class ErrorResponse(JSONResponse):
    """An error response, in the form that the path of its request needs."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str]) -> None:
        self._detail = detail
        super().__init__({"detail": detail}, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        self.adapt_to(scope["path"])
        await super().__call__(scope, receive, send)

    def adapt_to(self, path: str) -> None:
        """Take the form of the Open Inference Protocol if the path is one of its."""
        if is_inference_path(path):
            self.body = self.render({"error": self._detail})
            self.headers["content-length"] = str(len(self.body))


def error_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> ErrorResponse:
    """Build the response with this detail, the headers that its status needs, and more headers."""
    return ErrorResponse(status, detail, {**HEADERS.get(status, {}), **(headers or {})})
