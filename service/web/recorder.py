"""Record every request: its identifier, its metrics and its line in the access log."""

import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics.instruments import TIME_BOUNDS
from service.metrics.registry import Registry
from service.web.access_log import AccessEntry, AccessLog
from service.web.request_id import HEADER, Headers, RequestIds, find_traceparent

STATIC_ROUTE = "/static/{name}"
STATIC_PREFIX = STATIC_ROUTE.partition("{")[0]
"""The files of the page, whose metrics are those of one route."""

ROUTES = (
    "/predict",
    "/predict-image",
    "/predict-base64",
    "/predict-batch",
    "/predict-number",
    "/health",
    "/ready",
    "/model",
    "/metrics",
    "/",
    STATIC_ROUTE,
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/{name}",
    "/v2/models/{name}/ready",
    "/v2/models/{name}/infer",
    "/v2/models/{name}/versions/{version}",
    "/v2/models/{name}/versions/{version}/ready",
    "/v2/models/{name}/versions/{version}/infer",
    "/openapi.json",
    "/docs",
    "/redoc",
)
"""Paths with metrics of their own. Names in braces stand for any text without a slash."""

PATTERNS = {route: re.compile(re.sub(r"\{\w+\}", "[^/]+", route)) for route in ROUTES if "{" in route}

CLIENT_GONE = 499
"""Recorded as the status of a request whose client disconnected before the response, as nginx does."""

OTHER = "other"
"""Stands for unknown paths and unexpected statuses, so that clients cannot create new label values."""

STATUSES = (200, 304, 400, 401, 404, 405, 408, 413, 414, 431, CLIENT_GONE, 500, 503)
STATUS_LABELS = {status: str(status) for status in STATUSES}


class RequestRecorder:
    """Counts and logs requests, in the app and in front of it."""

    def __init__(self, registry: Registry, access_log: AccessLog | None = None) -> None:
        """Declare the metrics. Without an access log, nothing is logged."""
        self._access_log = access_log
        self._ids = RequestIds()
        labels = [(route, status) for route in (*ROUTES, OTHER) for status in (*STATUS_LABELS.values(), OTHER)]
        self._requests = registry.counter("digit_service_requests_total", "Requests.", ("route", "status"), labels)
        self._seconds = registry.histogram(
            "digit_service_request_seconds",
            "Time from the headers of a request to the end of its response.",
            TIME_BOUNDS,
        )

    def choose_id(self, headers: Headers) -> bytes:
        """Return the identifier of a request."""
        return self._ids.choose(headers)

    def record(self, scope: Scope, request_id: bytes, status: int, seconds: float) -> None:
        """Count and log one request. scope: as in ASGI, or incomplete if the request could not be parsed."""
        path = scope.get("path", "")
        self._requests.increment(find_route(path), STATUS_LABELS.get(status, OTHER))
        self._seconds.observe(seconds)
        if self._access_log is not None:
            client = (scope.get("client") or ("-",))[0]
            trace = find_traceparent(scope.get("headers", []))
            method = scope.get("method", "-")
            self._access_log.add(AccessEntry(request_id.decode(), client, method, path or "-", status, seconds, trace))


def find_route(path: str) -> str:
    """Return the route of a path, with names in braces for its parts that vary, or OTHER."""
    if path in ROUTES:
        return path
    return next((route for route, pattern in PATTERNS.items() if pattern.fullmatch(path)), OTHER)


class RecordingMiddleware:
    """Records the requests that reach the app.

    Adds the identifier to every response, and those of `extra_headers` that the response does not set itself.
    """

    def __init__(self, app: ASGIApp, recorder: RequestRecorder, extra_headers: Headers) -> None:
        self._app = app
        self._recorder = recorder
        self._extra_headers = extra_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app for one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = self._recorder.choose_id(scope["headers"])
        status = CLIENT_GONE

        async def send_identified(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # A prediction sets none of them, and comparing would cost it 2 microseconds.
                extra = self._extra_headers if scope["method"] == "POST" else self._missing(message["headers"])
                message["headers"] = [*message["headers"], *extra, (HEADER, request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_identified)
        except Exception:
            status = 500  # Starlette sends it after this
            raise
        finally:
            self._recorder.record(scope, request_id, status, time.perf_counter() - started)

    def _missing(self, headers: Headers) -> Headers:
        """Return the extra headers that a response does not set itself."""
        own = {name for name, _ in headers}
        return [header for header in self._extra_headers if header[0] not in own]
