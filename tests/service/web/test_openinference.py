"""The Open Inference Protocol V2: metadata, health, and inference on tensors and image files in both encodings."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from service import __version__
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.web.readiness import Readiness, State
from tests.conftest import WEIGHTS, make_app
from tests.images import SEVEN, encode, half_inverted
from tests.service.web.inference_requests import (
    HEADER,
    IMAGES,
    INFER,
    MODEL,
    binary,
    document,
    elements,
    numbers,
    strings,
    tensors,
    with_binary,
)

PNG = encode(SEVEN)
JPEG = encode(SEVEN, "JPEG")


@pytest.fixture(scope="module")
def logits(classifier: Classifier) -> NDArray[np.float32]:
    """Run the network on IMAGES: float32 (3, 10)."""
    return np.array([prediction.logits for prediction in classifier.classify(IMAGES)], np.float32)


def test_server_describes_itself(client: TestClient) -> None:
    """Name the server, its version and the extension for binary data."""
    assert client.get("/v2").json() == {
        "name": "digit-service",
        "version": __version__,
        "extensions": ["binary_tensor_data"],
    }


def test_health_is_that_of_the_service(classifier: Classifier) -> None:
    """Live always; ready, and so the model, only between start-up and shutdown."""
    readiness = Readiness()
    with TestClient(make_app(classifier, readiness)) as client:
        assert client.get("/v2/health/live").json() == {"live": True}
        assert client.get("/v2/health/ready").json() == {"ready": True}
        for path in (f"{MODEL}/ready", f"{MODEL}/versions/1/ready"):
            assert client.get(path).json() == {"name": "cnn-transformer", "ready": True}
    assert readiness.state is State.DRAINING
    assert client.get("/v2/health/live").status_code == 200
    for path in ("/v2/health/ready", f"{MODEL}/ready"):
        response = client.get(path)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json() == {"error": "The service is draining. Try again in a moment."}


def test_service_that_stops_is_unready_but_reads_images(classifier: Classifier) -> None:
    """Respond to inference requests while load balancers learn that the service stops."""
    readiness = Readiness()
    with TestClient(make_app(classifier, readiness)) as client:
        readiness.state = State.STOPPING
        assert client.get("/v2/health/ready").status_code == client.get(f"{MODEL}/ready").status_code == 503
        assert client.post(INFER, json=document(numbers())).status_code == 200


@pytest.mark.parametrize("model", ["cnn-transformer", "cnn"])
def test_model_describes_its_tensors(model: str) -> None:
    """Name the served model, its version, its tensors, and what standardizes an image."""
    classifier = Classifier(Contract.verify(WEIGHTS / model))
    with TestClient(make_app(classifier)) as client:
        metadata = client.get(f"/v2/models/{model}").json()
        assert client.get(f"/v2/models/{model}/versions/1").json() == metadata
    parameters = metadata.pop("parameters")
    assert metadata == {
        "name": model,
        "versions": ["1"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 1, 28, 28]}],
        "outputs": [
            {"name": "logits", "datatype": "FP32", "shape": [-1, 10]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
        ],
    }
    contract = json.loads((WEIGHTS / model / "contract.json").read_text())
    assert (parameters["mean"], parameters["std"]) == (contract["mean"], contract["std"])
    assert parameters["sha256"] == contract["files"][contract["serves"]]["sha256"]


REQUESTS: dict[str, dict[str, Any]] = {
    "flat": {"json": document(numbers())},
    "nested": {"json": document(numbers(data=IMAGES.tolist()))},
    "data first": {"json": document({"data": IMAGES.tolist(), **numbers()})},
    "null in unset fields": {"json": document(numbers(parameters=None), id=None, parameters=None, outputs=None)},
    "binary": with_binary(document(binary(IMAGES.nbytes)), IMAGES.tobytes()),
    "binary with null": with_binary(document(binary(IMAGES.nbytes, data=None)), IMAGES.tobytes()),
    "binary without JSON": {"content": IMAGES.tobytes(), "headers": {HEADER: "0"}},
}


@pytest.mark.parametrize("path", [INFER, f"{MODEL}/versions/1/infer"])
@pytest.mark.parametrize("name", REQUESTS)
def test_tensor_gets_the_logits_of_the_network(
    client: TestClient, logits: NDArray[np.float32], name: str, path: str
) -> None:
    """Respond with the network's logits, the same in every encoding."""
    outputs = tensors(client.post(path, **REQUESTS[name]))
    assert outputs.keys() == {"logits"}
    assert np.array_equal(outputs["logits"], logits)


def test_small_document_may_hold_any_json(client: TestClient) -> None:
    """Read data at a key that is written with escapes, as `json` does."""
    body = json.dumps(document(numbers(np.zeros((1, 1, 28, 28), np.float32)))).replace('"data"', '"d\\u0061ta"')
    assert tensors(client.post(INFER, content=body.encode()))["logits"].shape == (1, 10)


@pytest.mark.parametrize("identifier", ["a-1", "", "\u00e9\U0001f600", "\ud800"])
def test_identifier_is_returned(client: TestClient, identifier: str) -> None:
    """Return the id of the request with the name and the version of the model; no id if there is none."""
    body = json.dumps(document(numbers(), id=identifier)).encode()
    response = client.post(INFER, content=body).json()
    assert (response["id"], response["model_name"], response["model_version"]) == (identifier, "cnn-transformer", "1")
    assert "id" not in client.post(INFER, json=document(numbers())).json()


@pytest.mark.parametrize("by_default", [None, False, True])
@pytest.mark.parametrize("each", [None, False, True])
def test_outputs_have_the_requested_encoding(
    client: TestClient, logits: NDArray[np.float32], by_default: bool | None, each: bool | None
) -> None:
    """Return the requested outputs in order; one output's `binary_data` counts more than `binary_data_output`."""
    wished = {} if each is None else {"parameters": {"binary_data": each}}
    keys = {} if by_default is None else {"parameters": {"binary_data_output": by_default}}
    outputs = [{"name": "probabilities", **wished}, {"name": "logits"}]
    response = client.post(INFER, json=document(numbers(), outputs=outputs, **keys))
    size = int(response.headers.get(HEADER, len(response.content)))
    first, second = json.loads(response.content[:size])["outputs"]
    assert ("data" in first, "data" in second) == (not (by_default if each is None else each), not by_default)
    found = tensors(response)
    assert list(found) == ["probabilities", "logits"]
    assert np.array_equal(found["logits"], logits)
    assert found["probabilities"] == pytest.approx(softmax(logits), abs=1e-6)


BOTH = {"outputs": [{"name": "logits"}, {"name": "probabilities"}]}


def file_request(encoding: str, files: list[bytes]) -> dict[str, Any]:
    """Return a request for both outputs of some image files."""
    texts = [base64.b64encode(file).decode() for file in files]
    data = elements(*files)
    if encoding == "binary":
        return with_binary(document(binary(len(data), "BYTES", [len(files)]), **BOTH), data)
    entry = {
        "base64": strings(*texts),
        "base64 in rows": strings(data=[[text] for text in texts], shape=[len(texts), 1]),
        "data URLs with escapes": strings(*[f"data:;base64,{text}" for text in texts]),
    }[encoding]
    body = json.dumps(document(entry, **BOTH))
    return {"content": (body.replace("/", "\\/") if "escapes" in encoding else body).encode()}


@pytest.mark.parametrize("files", [[PNG], [PNG, JPEG], [PNG] * 40], ids=["one", "two", "many"])
@pytest.mark.parametrize("encoding", ["base64", "base64 in rows", "data URLs with escapes", "binary"])
def test_files_are_read_as_everywhere(client: TestClient, encoding: str, files: list[bytes]) -> None:
    """Respond with the probabilities of /predict-batch, and with logits whose softmax they are."""
    outputs = tensors(client.post(INFER, **file_request(encoding, files)))
    batch = client.post("/predict-batch", files=[("files", ("d", file)) for file in files]).json()
    expected = np.array([prediction["probabilities"] for prediction in batch["predictions"]])
    assert outputs["probabilities"] == pytest.approx(expected, abs=1e-3)
    assert softmax(outputs["logits"]) == pytest.approx(outputs["probabilities"], abs=1e-5)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def test_logits_of_a_reconsidered_image_are_finite(client: TestClient) -> None:
    """Give the logarithms of the probabilities where the service combines several readings."""
    text = base64.b64encode(encode(half_inverted(SEVEN))).decode()
    found = tensors(client.post(INFER, json=document(strings(text), **BOTH)))
    assert softmax(found["logits"]) == pytest.approx(found["probabilities"], abs=1e-5)
