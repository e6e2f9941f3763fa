"""The responses that routes share: errors and headers."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.web.api_key import DETAIL as KEY_MISSING
from service.web.body import upload_too_large
from service.web.error_response import RETRY_AFTER_SECONDS
from service.web.openapi.api import Api, Json, json_content
from service.web.request_limits import MAX_HEADER_BYTES, MAX_URL_BYTES

SCHEMAS: Json = {
    "Error": {
        "type": "object",
        "description": "Every error. `detail` is a sentence that says what to do.",
        "required": ["detail"],
        "additionalProperties": False,
        "properties": {"detail": {"type": "string"}},
    },
}

HEADERS: Json = {
    "RequestId": {
        "description": "The identifier of the request: the client's own if it is safe to log, otherwise a new one."
        " A 503 under heavy overload has none.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~:/+=@-]{1,128}$"},
    },
    "RetryAfter": {
        "description": "Seconds until a new attempt.",
        "required": True,
        "schema": {"type": "string", "const": str(RETRY_AFTER_SECONDS)},
    },
}


@dataclass(frozen=True)
class ErrorForm:
    """The form of errors. schema: its name. key: of the sentence. prefix: of the names of the shared responses."""

    schema: str
    key: str
    prefix: str

    def content(self, examples: Mapping[str, str]) -> Json:
        """Describe the body of an error. examples: sentences by name."""
        return json_content(self.schema, {name: {self.key: sentence} for name, sentence in examples.items()})

    def refer(self, status: str) -> Json:
        """Refer to the shared response of a status."""
        return {"$ref": f"#/components/responses/{self.prefix}{NAMES[status]}"}


DETAIL = ErrorForm("Error", "detail", "")

REQUEST_ID: Json = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
RETRY_AFTER: Json = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}

NAMES = {
    "400": "InvalidHttp",
    "401": "KeyMissing",
    "404": "UnknownModel",
    "408": "TooSlow",
    "413": "TooLarge",
    "414": "UrlTooLong",
    "431": "HeadersTooLarge",
    "503": "Unavailable",
}
"""The response in the components for each status."""

EVERY_ROUTE = ("408", "414", "431")
"""Statuses that the server in front of the app may give to any request, beside 400."""


def success(description: str, content: Json, headers: Json | None = None) -> Json:
    """Describe a response with status 200."""
    return {"200": {"description": description, "headers": {**REQUEST_ID, **(headers or {})}, "content": content}}


def invalid(examples: Mapping[str, str], form: ErrorForm = DETAIL) -> Json:
    """Describe status 400 of a route that reads a body. examples: sentences by name."""
    description = "The request is invalid. The sentence names the field, the file or the parameter, and the reason."
    return {"400": error(form, description, None, **examples)}


def errors(api: Api, *statuses: str, form: ErrorForm = DETAIL) -> Json:
    """Refer to the shared response of each status, in order. 401 is left out if no key is needed."""
    given = sorted({*statuses, *EVERY_ROUTE} - (set() if api.needs_key else {"401"}))
    return {status: form.refer(status) for status in given}


def shared_responses(api: Api, form: ErrorForm = DETAIL) -> Json:
    """Return the responses that routes refer to, with the limits in effect."""
    limits = api.settings
    too_large = str(upload_too_large(limits.max_upload_bytes))
    described: dict[str, Json] = {
        "400": error(form, "The request is not valid HTTP/1.1, or too many are queued on its connection."),
        "401": error(
            form,
            "The API key is missing or wrong.",
            {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}},
            keyMissing=KEY_MISSING,
        ),
        "408": error(
            form,
            f"The headers did not arrive within {limits.header_timeout:g} s (HEADER_TIMEOUT), or the body within"
            f" {limits.upload_timeout:g} s (UPLOAD_TIMEOUT).",
        ),
        "413": error(
            form,
            f"The body has more than {limits.max_upload_bytes} bytes (MAX_UPLOAD_BYTES).",
            uploadTooLarge=too_large,
        ),
        "414": error(form, f"The URL has more than {MAX_URL_BYTES} bytes."),
        "431": error(form, f"The headers have more than {MAX_HEADER_BYTES} bytes."),
        "503": error(
            form,
            f"The service is starting, draining or busy: {limits.max_in_flight} small requests are in flight"
            f" (MAX_IN_FLIGHT), no memory became free within {limits.queue_timeout:g} s (QUEUE_TIMEOUT), or no response"
            f" was ready within {limits.request_timeout:g} s (REQUEST_TIMEOUT).",
            RETRY_AFTER,
        ),
    }
    given = {status: described[status] for status in described if status != "401" or api.needs_key}
    return {form.prefix + NAMES[status]: response for status, response in given.items()}


def error(form: ErrorForm, description: str, headers: Json | None = None, **examples: str) -> Json:
    """Describe an error. examples: sentences by name."""
    return {
        "description": description,
        "headers": {**REQUEST_ID, **(headers or {})},
        "content": form.content(examples),
    }
