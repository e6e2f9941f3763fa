"""The pages that show the description. Their scripts are files of the package `offapi`.

offapi itself is not imported: it would load all of its files, which keeps 40 MB.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from service.web.content import Content

NOT_INSTALLED = (
    "This page is not installed. Install the Python package offapi beside the service, or read /openapi.json."
)

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>digit-service: {title}</title>
<style>body {{ margin: 0 }}</style>
"""

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src 'self' data: blob:; font-src data:;"
    " connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Allows exactly the scripts inside the page, and requests to no other host. Both programs write styles as they run."""

LOGO = re.compile(rb"https://cdn\.redoc\.ly/[\w./-]+")
"""ReDoc shows the logo of its makers, from their host."""


@dataclass(frozen=True)
class Page:
    """A page.

    title: the program that shows the description. script, style: its files in offapi. script_type: text/javascript or
    module. start: a script that starts it.
    """

    title: str
    body: str
    script: str
    script_type: str
    style: str = ""
    start: str = ""


# The address is relative to the page, so that a proxy may serve both below another path.
SWAGGER_UI = Page(
    "Swagger UI",
    '<div id="page"></div>',
    "swagger_bundle.js",
    "text/javascript",
    "swagger_style.css",
    'SwaggerUIBundle({ url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null });',
)
REDOC = Page("ReDoc", '<redoc spec-url="openapi.json"></redoc>', "redoc.js", "module")
PAGES = {"docs": SWAGGER_UI, "redoc": REDOC}


def render(page: Page) -> Content | None:
    """Render a page, or return None if offapi is not installed."""
    spec = find_spec("offapi")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    style = (folder / page.style).read_bytes() if page.style else b""
    scripts = [LOGO.sub(b"data:,", (folder / page.script).read_bytes())]
    scripts += [page.start.encode()] if page.start else []
    html = [HEAD.format(title=page.title).encode(), b"<style>", style, b"</style>\n", page.body.encode()]
    for script in scripts:
        html += [f'\n<script type="{page.script_type}">'.encode(), script, b"</script>"]
    policy = POLICY.format(scripts=" ".join(map(_source, scripts)))
    return Content(b"".join(html), "text/html; charset=utf-8", {"Content-Security-Policy": policy})


def _source(script: bytes) -> str:
    """Return the source expression of an inline script: the hash of its text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
