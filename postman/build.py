"""Write the Postman collection of this folder: every route, valid and invalid requests, and checks of the responses.

Run it with `python -m postman.build`.
"""

import base64
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
COLLECTION = FOLDER / "digit-service.postman_collection.json"
SIX = "examples/6-black-on-white-28x28.png"
INVALID = "README.md"
"""Files, relative to the checkout. newman needs `--working-dir`."""

Item = dict[str, Any]

DIGIT = "pm.expect(body.digit).to.equal(6); pm.expect(body.confidence).to.be.within(0.9, 1);"
PROBABILITIES = DIGIT + " pm.expect(body.probabilities).to.have.lengthOf(10);"
BATCH = "pm.expect(body.predictions[0].digit).to.equal(6); pm.expect(body.predictions[1]).to.have.all.keys('detail');"
NUMBER = "pm.expect(body.number).to.equal('6'); pm.expect(body.digits[0].box).to.have.lengthOf(4);"


def main(path: Path = COLLECTION) -> None:
    """Write the collection."""
    path.write_text(json.dumps(collection(), indent=1) + "\n")


def collection() -> dict[str, Any]:
    """Return the collection, in format 2.1."""
    variables = {"baseUrl": "http://localhost:8000", "apiKey": "", "healthStatus": "ok"}
    return {
        "info": {
            "name": "digit-service",
            "description": "Set `baseUrl`, and `apiKey` where the service needs one.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "apikey", "apikey": [_pair("key", "X-API-Key"), _pair("value", "{{apiKey}}")]},
        "variable": [_pair(key, value) for key, value in variables.items()],
        "item": [
            {"name": "Predictions", "item": predictions()},
            {"name": "Invalid requests", "item": invalid()},
            {"name": "Status", "item": status()},
            {"name": "Documentation", "item": documentation()},
        ],
    }


def predictions() -> list[Item]:
    """Return the requests that get a prediction."""
    encoded = base64.b64encode((FOLDER.parent / SIX).read_bytes()).decode()
    as_body = {"mode": "file", "file": {"src": SIX}}
    return [
        request("A form", "POST", "/predict", form("file", SIX), DIGIT),
        request("The image as the body", "POST", "/predict", as_body, DIGIT, headers={"Content-Type": "image/png"}),
        request("Probabilities", "POST", "/predict-image", form("image", SIX), PROBABILITIES),
        request(
            "Explanation",
            "POST",
            "/predict-image?explain=true",
            form("image", SIX),
            PROBABILITIES + " pm.expect(body.box).to.have.lengthOf(4); pm.expect(body.input).to.match(/^data:image/);",
        ),
        request("Number", "POST", "/predict-number", form("file", SIX), NUMBER),
        request("Base64", "POST", "/predict-base64", document({"image": encoded}), PROBABILITIES),
        request(
            "A data URL",
            "POST",
            "/predict-base64",
            document({"image": f"data:image/png;base64,{encoded}"}),
            PROBABILITIES,
        ),
        request("Batch, the second file is invalid", "POST", "/predict-batch", form("files", SIX, INVALID), BATCH),
    ]


def invalid() -> list[Item]:
    """Return the requests that get an error."""
    text = {"mode": "raw", "raw": "seven"}
    gif = {"Content-Type": "image/gif"}
    return [
        error("Missing field", "/predict", form("photo", SIX), "Field 'file' is missing"),
        error("Wrong type", "/predict", text, "Invalid file type: image/gif", headers=gif),
        error("Not an image", "/predict", text, "neither a PNG nor", headers={"Content-Type": "image/png"}),
        error("Not a form", "/predict-image", text, "multipart/form-data", headers={"Content-Type": "text/plain"}),
        error("Wrong explain", "/predict-image?explain=yes", form("image", SIX), "Send true or false"),
        error("Two files", "/predict-number", form("file", SIX, SIX), "occurs 2 times"),
        error("Not JSON", "/predict-base64", text, "not valid JSON"),
        error("Missing key", "/predict-base64", document({}), "Field 'image' is missing"),
        error("Not base64", "/predict-base64", document({"image": "***"}), "not valid base64"),
        error("Missing files", "/predict-batch", form("file", SIX), "Field 'files' is missing"),
        error("Unknown path", "/predictions", text, "Unknown path", 404),
        error("Wrong method", "/predict", None, "Use POST", 405, method="GET"),
    ]


def status() -> list[Item]:
    """Return the requests that tell about the service."""
    health = "pm.expect(body).to.eql({status: pm.variables.get('healthStatus')});"
    model = "pm.expect(body.sha256).to.match(/^[0-9a-f]{64}$/);"
    page = "if (pm.response.code === 200) pm.expect(pm.response.text()).to.include('<title>');"
    metrics = "pm.expect(pm.response.text()).to.include('digit_service_requests_total');"
    return [
        request("Liveness", "GET", "/health", None, health),
        request("Readiness", "GET", "/ready", None, "pm.expect(body).to.eql({status: 'ready'});"),
        request("Model", "GET", "/model", None, model),
        request("Metrics", "GET", "/metrics", None, metrics, is_json=False),
        request("Page, which may be off", "GET", "/", None, page, "200, 404", is_json=False),
    ]


def documentation() -> list[Item]:
    """Return the requests for the description, and for its pages, which may be not installed."""
    keep_tag = "pm.collectionVariables.set('etag', pm.response.headers.get('ETag'));"
    described = f"pm.expect(body.openapi).to.match(/^3[.]1/); {keep_tag}"
    page = "if (pm.response.code === 200) pm.expect(pm.response.text()).to.include('openapi.json');"
    known = {"If-None-Match": "{{etag}}"}
    return [
        request("Description", "GET", "/openapi.json", None, described),
        request("Unchanged description", "GET", "/openapi.json", None, "", 304, headers=known, is_json=False),
        *(request(path[1:], "GET", path, None, page, "200, 404", is_json=False) for path in ("/docs", "/redoc")),
    ]


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
        "header": [_pair(*item) for item in (headers or {}).items()],
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
) -> Item:
    """Return a request whose error must contain `detail`."""
    check = f"pm.expect(body).to.have.all.keys('detail'); pm.expect(body.detail).to.include({json.dumps(detail)});"
    return request(name, method, path, body, check, status, headers)


def form(field: str, *files: str) -> dict[str, Any]:
    """Return a form with these files in one field. All are declared as PNG."""
    parts = [{"key": field, "type": "file", "src": file, "contentType": "image/png"} for file in files]
    return {"mode": "formdata", "formdata": parts}


def document(content: dict[str, str]) -> dict[str, Any]:
    """Return a JSON body."""
    return {"mode": "raw", "raw": json.dumps(content), "options": {"raw": {"language": "json"}}}


def _pair(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


if __name__ == "__main__":
    main()
