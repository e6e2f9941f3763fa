"""Assemble the description of the API from its groups of routes."""

from collections.abc import Iterable

from service import __version__
from service.web.api_key import OPEN_PATHS
from service.web.openapi.api import Api, Json
from service.web.openapi.documentation import documentation
from service.web.openapi.drawing_page import drawing_page
from service.web.openapi.open_inference import open_inference
from service.web.openapi.predictions import predictions
from service.web.openapi.responses import HEADERS, SCHEMAS, shared_responses
from service.web.openapi.status import status

GROUPS = (predictions, open_inference, status, documentation, drawing_page)
"""One function per group of routes. A new group is one module and its place here."""

SECURITY_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def build_document(api: Api) -> Json:
    """Describe the API of the running service as an OpenAPI 3.1 document."""
    groups = [group for group in (describe(api) for describe in GROUPS) if group.paths]
    components: Json = {
        "schemas": {**SCHEMAS, **_merge(group.schemas for group in groups)},
        "headers": HEADERS,
        "responses": {**shared_responses(api), **_merge(group.responses for group in groups)},
    }
    document: Json = {
        "openapi": "3.1.0",
        "info": _info(api),
        "servers": [{"url": "/"}],
        "tags": [{"name": group.name, "description": group.description} for group in groups],
        "paths": _merge(group.paths for group in groups),
        "components": components,
    }
    if api.needs_key:
        components["securitySchemes"] = SECURITY_SCHEMES
        document["security"] = [{name: []} for name in SECURITY_SCHEMES]
    return document


def _info(api: Api) -> Json:
    limits = api.settings
    origins = ", ".join(limits.cors_origins) or "none"
    key = f" Every request needs an API key, except for {', '.join(OPEN_PATHS)}." if api.needs_key else ""
    return {
        "title": "digit-service",
        "version": __version__,
        "summary": "Reads handwritten digits from drawings, scans and photos.",
        "description": (
            'Every error is JSON: `{"detail": "a sentence that says what to do"}`, below /v2'
            ' `{"error": "…"}`. An unknown path gives 404, another method 405 with `Allow`.'
            " A 503 has `Retry-After`."
            " After 401, 408, 413, 414, 431 and invalid HTTP the service closes the connection."
            " A request's `X-Request-ID` is logged and comes back."
            f" Pages of these origins may call it (CORS_ORIGINS): {origins}.{key}"
        ),
    }


def _merge(parts: Iterable[Json]) -> Json:
    return {name: value for part in parts for name, value in part.items()}
