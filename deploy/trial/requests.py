"""Requests to try the service with: every route, every kind of picture, and what clients get wrong."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.trial.pictures import Picture

BOUNDARY = "boundary-of-parts"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
PREFLIGHT = {"Origin": "http://client.example", "Access-Control-Request-Method": "POST"}

SMALL_BYTES = 10_000
"""Images up to this size are sent to every route, larger ones only to /predict: they take longer."""


OPTIONAL_ROUTES = ("/docs", "/redoc")
"""They need a package that the image leaves out, and give 404 there."""


@dataclass(frozen=True)
class Request:
    """An HTTP request. digit: what its response must contain, None if any status below 500 is right."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    digit: int | None = None


def all_requests(examples: list[Picture], variants: list[Picture], routes: Sequence[str]) -> list[Request]:
    """List the requests. routes: paths of the app, whose variables are filled in."""
    first = examples[0]
    always = [route for route in routes if route not in OPTIONAL_ROUTES]
    small = [picture for picture in [*examples, *variants] if len(picture.content) < SMALL_BYTES]
    return [
        *(_raw("/predict", picture) for picture in [*examples, *variants]),
        *(_raw("/predict-number", picture) for picture in small),
        _form("/predict", "file", [first]),
        _form("/predict-image?explain=true", "image", [first]),
        _form("/predict-batch", "files", small),
        _form("/predict", "wrong-field", [first]),
        _json("/predict-base64", {"image": base64.b64encode(first.content).decode()}, first.digit),
        _json("/predict-base64", {"image": "no base64"}),
        Request("OPTIONS", "/predict", PREFLIGHT),
        Request("GET", "/no-such-route"),
        *(Request(method, _fill(route)) for route in always for method in ("GET", "POST", "DELETE")),
    ]


def _raw(path: str, picture: Picture) -> Request:
    return Request("POST", path, {"Content-Type": picture.content_type}, picture.content, picture.digit)


def _form(path: str, name: str, pictures: list[Picture]) -> Request:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="picture"\r\n'
        f"Content-Type: {picture.content_type}\r\n\r\n".encode()
        + picture.content
        for picture in pictures
    ]
    return Request("POST", path, FORM, b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()]))


def _json(path: str, document: dict[str, Any], digit: int | None = None) -> Request:
    return Request("POST", path, {"Content-Type": "application/json"}, json.dumps(document).encode(), digit)


def _fill(route: str) -> str:
    return re.sub(r"\{[^}]*\}", "cnn-transformer", route)
