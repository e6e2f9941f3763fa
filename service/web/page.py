"""The drawing page at GET /: its files are read once and served from memory."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.web.content import Content
from service.web.recorder import STATIC_ROUTE

STATIC = Path(__file__).with_name("static")
INDEX = "index.html"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
    "; img-src 'self' data:"  # the input of the network comes as a data URL
    "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""The page may load the service's files and call it, and nothing else."""


class PageEndpoints:
    """One method per route."""

    def __init__(self) -> None:
        self._files = {path.name: _load(path) for path in STATIC.iterdir()}
        self._index = self._files.pop(INDEX)

    async def index(self, request: Request) -> Response:
        """Respond with the page."""
        return self._index.respond(request)

    async def file(self, request: Request) -> Response:
        """Respond with a file that the page loads."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        return file.respond(request)


def page_routes() -> list[Route]:
    """Read the page's files and return its routes."""
    page = PageEndpoints()
    return [Route("/", page.index), Route(STATIC_ROUTE, page.file, include_in_schema=False)]


def _load(path: Path) -> Content:
    return Content(path.read_bytes(), MEDIA_TYPES[path.suffix], {"Content-Security-Policy": CONTENT_SECURITY_POLICY})
