"""The page to draw on."""

from service.web.openapi.api import Api, Group
from service.web.openapi.documentation import ETAG, cached
from service.web.openapi.responses import success

TAG = "Page"


def drawing_page(api: Api) -> Group:
    """Describe the page, unless it is off. The files that it loads are not part of the API."""
    page = success("HTML.", {"text/html": {"schema": {"type": "string"}}}, ETAG)
    paths = {"/": cached(api, "page", TAG, "The page to draw on.", page)} if api.settings.page == "on" else {}
    return Group(TAG, "For people.", paths, {})
