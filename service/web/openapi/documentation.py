"""The routes of the description itself and of the pages that show it."""

from service.web.openapi.api import Api, Group, Json, json_content
from service.web.openapi.pages import NOT_INSTALLED, PAGES
from service.web.openapi.responses import REQUEST_ID, success
from service.web.openapi.status import get

TAG = "Documentation"
ETAG: Json = {"ETag": {"description": "Changes with the content.", "schema": {"type": "string"}}}
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of a copy: if it is up to date, the response is 304.",
    "schema": {"type": "string"},
}


def documentation(api: Api) -> Group:
    """Describe the description and its pages."""
    paths = {"/openapi.json": _description(api), "/docs": _page(api, "docs"), "/redoc": _page(api, "redoc")}
    return Group(TAG, "This description.", paths, {})


def _description(api: Api) -> Json:
    content: Json = {"application/json": {"schema": {"type": "object", "required": ["openapi", "info", "paths"]}}}
    return cached(api, "openapi", TAG, "This description.", success("OpenAPI 3.1.", content, ETAG))


def _page(api: Api, name: str) -> Json:
    missing: Json = {
        "description": "The pages are not installed.",
        "headers": REQUEST_ID,
        "content": json_content("Error", {"notInstalled": {"detail": NOT_INSTALLED}}),
    }
    page = success("A page that needs no other host.", {"text/html": {"schema": {"type": "string"}}}, ETAG)
    return cached(api, name, TAG, f"This description, shown by {PAGES[name].title}.", {**page, "404": missing})


def cached(api: Api, operation: str, tag: str, summary: str, responses: Json) -> Json:
    """Describe a route whose response a client may keep. None needs a key: a browser cannot send it."""
    unchanged: Json = {"description": "The client's copy is up to date.", "headers": {**REQUEST_ID, **ETAG}}
    described = get(api, operation, tag, summary, {**responses, "304": unchanged}, needs_key=False)
    return {"get": {**described["get"], "parameters": [IF_NONE_MATCH]}}
