"""Write the Postman collection of this folder: every route, valid and invalid requests, and checks of the responses.

Run it with `python -m postman.build`.
"""

import base64
import json
from pathlib import Path
from typing import Any

from postman.item import Item, document, error, form, pair, request
from postman.open_inference import open_inference

FOLDER = Path(__file__).resolve().parent
COLLECTION = FOLDER / "digit-service.postman_collection.json"
SIX = "examples/6-black-on-white-28x28.png"
INVALID = "README.md"
"""Files, relative to the checkout. newman needs `--working-dir`."""

DIGIT = "pm.expect(body.digit).to.equal(6); pm.expect(body.confidence).to.be.within(0.9, 1);"
PROBABILITIES = DIGIT + " pm.expect(body.probabilities).to.have.lengthOf(10);"
BATCH = "pm.expect(body.predictions[0].digit).to.equal(6); pm.expect(body.predictions[1]).to.have.all.keys('detail');"
NUMBER = "pm.expect(body.number).to.equal('6'); pm.expect(body.digits[0].box).to.have.lengthOf(4);"


def main(path: Path = COLLECTION) -> None:
    """Write the collection."""
    path.write_text(json.dumps(collection(), indent=1) + "\n")


def collection() -> dict[str, Any]:
    """Return the collection, in format 2.1."""
    variables = {"baseUrl": "http://localhost:8000", "apiKey": "", "healthStatus": "ok", "model": "cnn-transformer"}
    return {
        "info": {
            "name": "digit-service",
            "description": "Set `baseUrl`, and `apiKey` where the service needs one.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "apikey", "apikey": [pair("key", "X-API-Key"), pair("value", "{{apiKey}}")]},
        "variable": [pair(key, value) for key, value in variables.items()],
        "item": [
            {"name": "Predictions", "item": predictions()},
            {"name": "Invalid requests", "item": invalid()},
            {"name": "Status", "item": status()},
            {"name": "Open Inference Protocol", "item": open_inference(encoded_six())},
            {"name": "Documentation", "item": documentation()},
        ],
    }


def encoded_six() -> str:
    """Return the example image in base64."""
    return base64.b64encode((FOLDER.parent / SIX).read_bytes()).decode()


def predictions() -> list[Item]:
    """Return the requests that get a prediction."""
    encoded = encoded_six()
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
    model = "pm.expect(body.sha256).to.match(/^[0-9a-f]{64}$/); pm.collectionVariables.set('model', body.model);"
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


if __name__ == "__main__":
    main()
