"""A request of the collection, and the checks of its response."""

import json
from typing import Any

Item = dict[str, Any]


def request(
    name: str,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    check: str,
    status: int | str = 200,
    headers: dict[str, str] | None = None,
    is_json: bool = True,
) -> Item:
    """Return a request that must get one of the statuses, and a response for which `check` (JavaScript) holds."""
    parse = "const body = pm.response.json(); " if is_json else ""
    script = [
        f"pm.test('status {status}', () => pm.expect(pm.response.code).to.be.oneOf([{status}]));",
        f"pm.test('response', () => {{ {parse}{check} }});",
    ]
    sent = {
        "method": method,
        "url": f"{{{{baseUrl}}}}{path}",
        "header": [pair(*item) for item in (headers or {}).items()],
    }
    return {
        "name": name,
        "request": {**sent, "body": body} if body else sent,
        "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": script}}],
    }


def error(
    name: str,
    path: str,
    body: dict[str, Any] | None,
    detail: str,
    status: int = 400,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    key: str = "detail",
) -> Item:
    """Return a request whose error must contain `detail`. key: of the sentence in the error."""
    check = f"pm.expect(body).to.have.all.keys('{key}'); pm.expect(body.{key}).to.include({json.dumps(detail)});"
    return request(name, method, path, body, check, status, headers)


def form(field: str, *files: str) -> dict[str, Any]:
    """Return a form with these files in one field. All are declared as PNG."""
    parts = [{"key": field, "type": "file", "src": file, "contentType": "image/png"} for file in files]
    return {"mode": "formdata", "formdata": parts}


def document(content: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON body."""
    return {"mode": "raw", "raw": json.dumps(content), "options": {"raw": {"language": "json"}}}


def pair(key: str, value: str) -> dict[str, str]:
    """Return an entry of the collection."""
    return {"key": key, "value": value}
