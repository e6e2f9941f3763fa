"""The requests below /v2. The request for /model sets the variable `model`."""

from typing import Any

from postman.item import Item, document, error, request

MODEL = "/v2/models/{{model}}"
VERSION = f"{MODEL}/versions/1"
INFER = f"{MODEL}/infer"
SHAPE = [1, 1, 28, 28]
BLANK = [-0.4242] * (28 * 28)
"""A standardized image without ink."""

LENGTH = "Inference-Header-Content-Length"
NAMED = "pm.expect(body.name).to.equal(pm.variables.get('model'));"
READY = f"{NAMED} pm.expect(body.ready).to.equal(true);"
SIX = (
    "const values = body.outputs[0].data; pm.expect(values).to.have.lengthOf(10);"
    " pm.expect(values.indexOf(Math.max(...values))).to.equal(6); pm.expect(body.model_version).to.equal('1');"
)
LOGITS = "pm.expect(body.outputs[0].name).to.equal('logits'); pm.expect(body.outputs[0].shape).to.eql([1, 10]);"
BINARY = f"pm.expect(pm.response.stream.length).to.equal(Number(pm.response.headers.get('{LENGTH}')) + 40);"


def open_inference(encoded: str) -> list[Item]:
    """Return the requests of the Open Inference Protocol. encoded: an image of a 6 in base64."""
    return [*metadata(), *inferences(encoded), *invalid(encoded)]


def metadata() -> list[Item]:
    """Return the requests that tell about the server and its model."""
    server = "pm.expect(body.extensions).to.include('binary_tensor_data');"
    model = f"{NAMED} pm.expect(body.versions).to.eql(['1']);"
    return [
        request("Server", "GET", "/v2", None, server),
        request("Server is live", "GET", "/v2/health/live", None, "pm.expect(body).to.eql({live: true});"),
        request("Server is ready", "GET", "/v2/health/ready", None, "pm.expect(body).to.eql({ready: true});"),
        request("Tensors", "GET", MODEL, None, model),
        request("Tensors of a version", "GET", VERSION, None, model),
        request("Model is ready", "GET", f"{MODEL}/ready", None, READY),
        request("Version is ready", "GET", f"{VERSION}/ready", None, READY),
    ]


def inferences(encoded: str) -> list[Item]:
    """Return the requests that run the model."""
    file = document(inference("BYTES", [1], [encoded], outputs=[{"name": "probabilities"}]))
    numbers = inference("FP32", SHAPE, BLANK, id="7")
    binary = document({**numbers, "parameters": {"binary_data_output": True}})
    return [
        request("Infer from a file", "POST", INFER, file, SIX),
        request("Infer with a version", "POST", f"{VERSION}/infer", file, SIX),
        request("Infer from numbers", "POST", INFER, document(numbers), f"{LOGITS} pm.expect(body.id).to.equal('7');"),
        request("Binary outputs", "POST", INFER, binary, BINARY, is_json=False),
    ]


def invalid(encoded: str) -> list[Item]:
    """Return the requests that get an error, whose key is `error`."""
    file = document(inference("BYTES", [1], [encoded]))
    bad: dict[str, tuple[dict[str, Any], str]] = {
        "No input": ({}, "0 inputs"),
        "Wrong datatype": (inference("UINT8", SHAPE, [0]), "FP32"),
        "Wrong shape": (inference("FP32", [28, 28], [0]), "[N, 1, 28, 28]"),
        "Too few numbers": (inference("FP32", SHAPE, [0]), "not 784 numbers"),
        "File that is not base64": (inference("BYTES", [1], ["***"]), "not valid base64"),
        "Unknown output": (inference("BYTES", [1], [encoded], outputs=[{"name": "digit"}]), "logits"),
    }
    too_long = {LENGTH: "99999"}
    return [
        *(error(name, INFER, document(content), reason, key="error") for name, (content, reason) in bad.items()),
        error("JSON longer than the body", INFER, file, LENGTH, headers=too_long, key="error"),
        error("Unknown model", "/v2/models/unknown/infer", file, "Unknown model", 404, key="error"),
        error("Unknown version", f"{MODEL}/versions/2", None, "Unknown model", 404, "GET", key="error"),
        error("Unknown path below /v2", "/v2/unknown", None, "Unknown path", 404, "GET", key="error"),
        error("Wrong method of infer", INFER, None, "Use POST", 405, "GET", key="error"),
    ]


def inference(datatype: str, shape: list[int], data: list[Any], **keys: Any) -> dict[str, Any]:
    """Return a request with one input. keys: of the request."""
    return {"inputs": [{"name": "image", "datatype": datatype, "shape": shape, "data": data}], **keys}
