"""Serve a path with slashes at its end as the same path without it."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send


class TrailingSlashMiddleware:
    """Removes slashes at the end of a path.

    Starlette would redirect, to the scheme and host that this service sees: behind a proxy with TLS, clients would send
    the image and the key again in clear text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on."""
        path = scope.get("path", "")
        if path.endswith("/"):
            scope["path"] = path.rstrip("/") or "/"
        return self._app(scope, receive, send)
