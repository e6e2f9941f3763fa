"""Map exceptions to responses: always `{"detail": "a sentence"}`."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from service.errors import NotReadyError, OverloadedError, RequestError, UploadTimeoutError, UploadTooLargeError

STATUS_CODES: Mapping[type[Exception], int] = {
    RequestError: 400,
    ClientDisconnect: 400,  # never received
    UploadTimeoutError: 408,
    UploadTooLargeError: 413,
    NotReadyError: 503,
    OverloadedError: 503,
}

RETRY_AFTER = {"Retry-After": "1"}
CLOSE = {"Connection": "close"}

HEADERS = {503: RETRY_AFTER, 408: CLOSE, 413: CLOSE}
"""Where the rest of a body is not wanted, the connection is closed."""


def exception_handlers() -> dict[Any, Callable[[Request, Any], Awaitable[JSONResponse]]]:
    """Return the handler of each exception type, for Starlette."""
    service_errors = {kind: partial(error_response, status) for kind, status in STATUS_CODES.items()}
    return {**service_errors, HTTPException: http_error_response, Exception: failure_response}


async def error_response(status: int, _request: Request, error: Exception) -> JSONResponse:
    """Respond with an error's own message."""
    return JSONResponse({"detail": str(error)}, status_code=status, headers=HEADERS.get(status))


async def http_error_response(request: Request, error: HTTPException) -> JSONResponse:
    """Respond to an unknown path or method."""
    details = {
        404: "Unknown path."
        " POST an image to /predict, /predict-image, /predict-base64 or /predict-number, or several to /predict-batch.",
        405: f"{request.method} is not allowed here. Use {(error.headers or {}).get('Allow')}.",
    }
    detail = details.get(error.status_code, error.detail)
    return JSONResponse({"detail": detail}, status_code=error.status_code, headers=error.headers)


async def failure_response(_request: Request, _error: Exception) -> JSONResponse:
    """Respond to an exception that nobody expected. Starlette raises it again, and the server logs it."""
    return JSONResponse({"detail": "The service failed to process the request. Report it."}, status_code=500)
