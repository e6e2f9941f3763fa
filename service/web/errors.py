"""Map exceptions to responses, each with a sentence: `{"detail": "…"}`, or `{"error": "…"}` below /v2."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from service.errors import (
    NotReadyError,
    OverloadedError,
    RequestError,
    UnknownModelError,
    UploadTimeoutError,
    UploadTooLargeError,
)
from service.web.error_response import SECURITY_HEADERS, error_response, is_inference_path

STATUS_CODES: Mapping[type[Exception], int] = {
    RequestError: 400,
    ClientDisconnect: 400,  # never received
    UnknownModelError: 404,
    UploadTimeoutError: 408,
    UploadTooLargeError: 413,
    NotReadyError: 503,
    OverloadedError: 503,
}

UNKNOWN_PATH = (
    "Unknown path."
    " POST an image to /predict, /predict-image, /predict-base64 or /predict-number, or several to /predict-batch."
)
UNKNOWN_INFERENCE_PATH = "Unknown path. POST a request to /v2/models/NAME/infer; GET /model tells the model's name."


def exception_handlers() -> dict[Any, Callable[[Request, Any], Awaitable[JSONResponse]]]:
    """Return the handler of each exception type, for Starlette."""
    service_errors = {kind: partial(service_error_response, status) for kind, status in STATUS_CODES.items()}
    return {**service_errors, HTTPException: http_error_response, Exception: failure_response}


async def service_error_response(status: int, _request: Request, error: Exception) -> JSONResponse:
    """Respond with an error's own message."""
    return error_response(status, str(error))


async def http_error_response(request: Request, error: HTTPException) -> JSONResponse:
    """Respond to an unknown path or method."""
    headers = dict(error.headers or {})
    if "Allow" in headers:  # Starlette lists the methods in the order of a set, which varies from start to start
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    details = {
        404: UNKNOWN_INFERENCE_PATH if is_inference_path(request.url.path) else UNKNOWN_PATH,
        405: f"{request.method} is not allowed here. Use {headers.get('Allow')}.",
    }
    detail = details.get(error.status_code, error.detail)
    return error_response(error.status_code, detail, headers)


async def failure_response(_request: Request, _error: Exception) -> JSONResponse:
    """Respond to an exception that nobody expected. Starlette raises it again, and the server logs it."""
    response = error_response(500, "The service failed to process the request. Report it.")
    response.raw_headers += SECURITY_HEADERS  # it is sent outside of the app's middleware
    return response
