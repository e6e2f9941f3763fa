"""Require an API key, if the service has one."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.error_response import error_response
from service.web.recorder import STATIC_PREFIX
from service.web.request_id import Headers, find_header

OPEN_PATHS = ("/health", "/ready", "/v2/health/live", "/v2/health/ready", "/", "/openapi.json", "/docs", "/redoc")
"""Orchestrators probe these without a key, and a browser cannot send one when it opens a page.

The page's files need none either, and show nothing. The pages ask for the key that their requests need.
"""

BEARER = b"bearer "
DETAIL = "The API key is missing or wrong. Send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`."


class ApiKeyMiddleware:
    """Responds with 401 to requests without a valid key, before their body is read."""

    def __init__(self, app: ASGIApp, keys: tuple[str, ...]) -> None:
        """Accept each of these keys, so that a key can be replaced without a moment in which neither is valid."""
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app if the request may pass."""
        if scope["type"] != "http" or _is_open(scope["path"]) or self._is_valid(scope["headers"]):
            await self._app(scope, receive, send)
            return
        await error_response(401, DETAIL, {"WWW-Authenticate": "Bearer"})(scope, receive, send)

    def _is_valid(self, headers: Headers) -> bool:
        """Compare the key that was sent with every valid one, in a time that does not depend on their content."""
        given = _given_key(headers)
        return any([hmac.compare_digest(given, key) for key in self._keys])  # noqa: C419 - always all of them


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(STATIC_PREFIX)


def _given_key(headers: Headers) -> bytes:
    authorization = find_header(headers, b"authorization")
    if authorization[: len(BEARER)].lower() == BEARER:
        return authorization[len(BEARER) :].strip()
    return find_header(headers, b"x-api-key").strip()
