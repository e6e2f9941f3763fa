"""Invalid inference requests get 400 and a sentence; every error below /v2, and no other, is `{"error": "…"}`."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.web.readiness import Readiness
from tests.conftest import WEIGHTS, make_app
from tests.images import SEVEN, encode
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
    with_binary,
)

PNG = encode(SEVEN)
BASE64 = base64.b64encode(PNG).decode()
ONE = np.zeros((1, 1, 28, 28), np.float32)
SIZE, DATA = IMAGES.nbytes, IMAGES.tobytes()
NAN, INFINITE = (np.full((3, 1, 28, 28), value, np.float32) for value in (np.nan, -np.inf))


def shaped(*shape: Any) -> dict[str, Any]:
    return {"json": document(numbers(shape=list(shape)))}


def data(value: Any) -> dict[str, Any]:
    return {"json": document(numbers(data=value))}


def sized(size: Any, content: bytes = DATA) -> dict[str, Any]:
    return with_binary(document(binary(size)), content)


def files(content: bytes, count: int = 1) -> dict[str, Any]:
    return with_binary(document(binary(len(content), "BYTES", [count])), content)


def outputs(*entries: Any) -> dict[str, Any]:
    return {"json": document(numbers(), outputs=list(entries))}


def text(body: str) -> dict[str, Any]:
    return {"content": body.encode()}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "empty body": (text(""), "not valid JSON"),
    "not JSON": (text("seven"), "not valid JSON"),
    "truncated JSON": (text(json.dumps(document(numbers()))[:-1]), "not valid JSON"),
    "nested too deep": (text("[" * 60_000), "not valid JSON"),
    "list": (text("[]"), "not a JSON object"),
    "no inputs": ({"json": {}}, "has 0 inputs"),
    "inputs is an object": ({"json": {"inputs": {}}}, "inputs is {}"),
    "inputs of numbers": ({"json": {"inputs": [1]}}, "inputs is [1]"),
    "duplicate inputs": ({"json": {"inputs": [numbers(), numbers()]}}, "has 2 inputs"),
    "no name": ({"json": document({})}, "Unknown input null"),
    "wrong name": ({"json": document(numbers(name="images"))}, 'Unknown input "images"'),
    "name of another type": ({"json": document(numbers(name=["image"]))}, 'Unknown input ["image"]'),
    "wrong datatype": ({"json": document(numbers(datatype="FP64"))}, 'datatype "FP64"'),
    "datatype in lower case": ({"json": document(numbers(datatype="fp32"))}, 'datatype "fp32"'),
    "datatype of another type": ({"json": document(numbers(datatype=[1]))}, "datatype [1]"),
    "no shape": ({"json": document(numbers(shape=None))}, "shape null"),
    "empty shape": (shaped(), "shape []"),
    "shape of text": ({"json": document(numbers(shape="3"))}, 'shape "3"'),
    "rank 3": (shaped(3, 28, 28), "shape [3, 28, 28]"),
    "rank 5": (shaped(3, 1, 28, 28, 1), "shape [3, 1, 28, 28, 1]"),
    "other sides": (shaped(3, 1, 14, 56), "shape [3, 1, 14, 56]"),
    "channels last": (shaped(3, 28, 28, 1), "shape [3, 28, 28, 1]"),
    "no image": (shaped(0, 1, 28, 28), "N from 1"),
    "negative dimension": (shaped(-3, 1, 28, 28), "N from 1"),
    "negative dimensions": (shaped(3, -1, -28, 28), "shape [3, -1, -28, 28]"),
    "fraction in the shape": (shaped(3.0, 1, 28, 28), "shape [3.0, 1, 28, 28]"),
    "boolean in the shape": (shaped(True, 1, 28, 28), "shape [true, 1, 28, 28]"),
    "text in the shape": (shaped("3", 1, 28, 28), 'shape ["3", 1, 28, 28]'),
    "huge batch": (shaped(10**4_000, 1, 28, 28), "Send at most 64 per request"),
    "huge dimensions": (shaped(*[2**62] * 4), "shape [4611686018427387904, "),
    "more than MAX_BATCH": (shaped(65, 1, 28, 28), "has 65 images. Send at most 64"),
    "other batch than the data": (shaped(2, 1, 28, 28), "not 1568 numbers"),
    "no data": ({"json": document({**numbers(), "data": None})}, "needs either data"),
    "missing data": ({"json": document({k: v for k, v in numbers().items() if k != "data"})}, "needs either data"),
    "data of text": (data("1, 2"), "not 2352 numbers"),
    "data with text": (data([*IMAGES.ravel().tolist()[1:], "1"]), "not 2352 numbers"),
    "data with null": (data([*IMAGES.ravel().tolist()[1:], None]), "not 2352 numbers"),
    "data with true": (data([*IMAGES.ravel().tolist()[1:], True]), "not 2352 numbers"),
    "data of 27 columns": (data(np.zeros((3, 1, 28, 27)).tolist()), "not 2352 numbers"),
    "ragged data": (data([*IMAGES.tolist()[:2], [IMAGES[2, 0].tolist()[:27]]]), "not 2352 numbers"),
    "one number too many": (data([*IMAGES.ravel().tolist(), 0]), "not 2352 numbers"),
    "one number too few": (data(IMAGES.ravel().tolist()[1:]), "not 2352 numbers"),
    "NaN": (text(json.dumps(document(numbers(NAN)))), "not 2352 numbers"),
    "infinity": (text(json.dumps(document(numbers(INFINITE)))), "not 2352 numbers"),
    "beyond FP32": (data([1e39] * IMAGES.size), "not finite in FP32"),
    "NaN in bytes": (sized(SIZE, NAN.tobytes()), "not finite in FP32"),
    "infinity in bytes": (sized(SIZE, INFINITE.tobytes()), "not finite in FP32"),
    "size below the data": (sized(SIZE - 4), f"{SIZE} bytes follow the JSON"),
    "size above the data": (sized(SIZE + 4), f"{SIZE} bytes follow the JSON"),
    "huge size": (sized(2**63), f"{SIZE} bytes follow the JSON"),
    "negative size": (sized(-1), "binary_data_size -1"),
    "size of text": (sized(str(SIZE)), f'binary_data_size "{SIZE}"'),
    "fraction as the size": (sized(float(SIZE)), "binary_data_size"),
    "boolean as the size": (sized(True), "binary_data_size true"),
    "bytes of another shape": (sized(SIZE - 4, DATA[4:]), f"has {SIZE - 4} bytes, not {SIZE}"),
    "data and a size": (with_binary(document({**numbers(), **binary(SIZE)}), DATA), "needs either data"),
    "bytes without a size": (with_binary(document(numbers()), DATA), "has no binary_data_size"),
    "parameters of an input": ({"json": document(numbers(parameters=[]))}, "parameters is []"),
    "length that is no number": (with_binary(document(binary(SIZE)), DATA, "x"), f'{HEADER} is "x"'),
    "negative length": (with_binary(document(binary(SIZE)), DATA, "-1"), f'{HEADER} is "-1"'),
    "length beyond the body": (with_binary(document(binary(SIZE)), DATA, "99999"), f'{HEADER} is "99999"'),
    "huge length": (with_binary(document(binary(SIZE)), DATA, "9" * 5_000), f"{HEADER} is "),
    "length inside the JSON": (with_binary(document(binary(SIZE)), DATA, "10"), "not valid JSON"),
    "length inside the data": (with_binary(document(binary(SIZE)), DATA, "1000"), "not valid JSON"),
    "half an image without JSON": ({"content": DATA[:5_000], "headers": {HEADER: "0"}}, "has 5000 bytes, not 3136"),
    "nothing without JSON": ({"content": b"", "headers": {HEADER: "0"}}, "not valid JSON"),
    "id of a number": ({"json": document(numbers(), id=7)}, "id is 7"),
    "outputs of text": ({"json": document(numbers(), outputs="logits")}, 'outputs is "logits"'),
    "unknown output": (outputs({"name": "digit"}), 'Unknown output "digit"'),
    "output without a name": (outputs({}), "Unknown output null"),
    "output of another type": (outputs({"name": ["logits"]}), 'Unknown output ["logits"]'),
    "duplicate outputs": (outputs({"name": "logits"}, {"name": "logits"}), "requested twice"),
    "binary_data of text": (outputs({"name": "logits", "parameters": {"binary_data": "yes"}}), 'binary_data is "yes"'),
    "classification": (outputs({"name": "logits", "parameters": {"classification": 3}}), "as a classification"),
    "parameters of the request": ({"json": document(numbers(), parameters=1)}, "parameters is 1"),
    "binary_data_output of a number": (
        {"json": document(numbers(), parameters={"binary_data_output": 1})},
        "binary_data_output is 1",
    ),
    "files with the shape of a tensor": ({"json": document(strings(BASE64, shape=[1, 1, 28, 28]))}, "[N] for BYTES"),
    "no file": ({"json": document(strings(shape=[1]))}, "not an array of 1 strings"),
    "no file in a row": ({"json": document(strings(data=[[]], shape=[1, 1]))}, "not an array of 1 strings"),
    "fewer files than the shape": ({"json": document(strings(BASE64, shape=[2]))}, "not an array of 2 strings"),
    "more files than the shape": ({"json": document(strings(BASE64, BASE64, shape=[1]))}, "not an array of 1 strings"),
    "files that are numbers": ({"json": document(strings(data=[1], shape=[1]))}, "not an array of 1 strings"),
    "files in other rows": ({"json": document(strings(data=[[BASE64]], shape=[1]))}, "not an array of 1 strings"),
    "file that is not base64": ({"json": document(strings("?"))}, "Field 'image' is not valid base64"),
    "file that is no image": ({"json": document(strings("AAAA"))}, "Invalid file type"),
    "second file that is no image": ({"json": document(strings(BASE64, "AAAA"))}, "Image 1 of 2 (from 0): Invalid"),
    "truncated file": (files(elements(PNG[:60])), "Error processing image"),
    "second file truncated": (files(elements(PNG, PNG[:60]), 2), "Image 1 of 2 (from 0): Error processing image"),
    "file of text": (files(elements(b"seven")), "Invalid file type"),
    "file without its length": (files(PNG), "not 1 elements"),
    "file with a length beyond the data": (files(b"\xff" * 4 + PNG), "not 1 elements"),
    "no files in bytes": (files(b""), "not 1 elements"),
    "length alone": (files(b"\x01"), "not 1 elements"),
    "bytes behind the files": (files(elements(PNG) + b"x"), "not 1 elements"),
    "fewer files in bytes": (files(elements(PNG), 2), "not 2 elements"),
    "compressed body": ({"content": b"x", "headers": {"Content-Encoding": "gzip"}}, "without Content-Encoding"),
    "long document": (
        {"json": document(numbers(ONE), parameters={"x": ["y"] * 30_000})},
        "65536 are allowed",
    ),
}


def error_of(response: Any, status: int = 400) -> str:
    """Return the sentence of an error of the protocol."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() == {"error"}
    return str(response.json()["error"])


@pytest.mark.parametrize("name", BAD)
def test_bad_request_gets_its_reason(client: TestClient, name: str) -> None:
    """Respond with 400 and one short sentence that names what is wrong."""
    request, reason = BAD[name]
    error = error_of(client.post(INFER, **request))
    assert reason in error
    assert len(error) < 400


@pytest.mark.parametrize("model", ["cnn", "cnn-transformer"])
def test_extreme_values_never_cause_a_server_error(model: str, tmp_path: Path) -> None:
    """Respond with 400 if the fp32 network overflows, which JSON could not express."""
    folder = shutil.copytree(WEIGHTS / model, tmp_path / model)
    contract = json.loads((folder / "contract.json").read_text())
    (folder / "contract.json").write_text(json.dumps({**contract, "serves": "model.onnx"}))
    images = np.tile(np.array([3e38, -3e38], np.float32), 392).reshape(1, 1, 28, 28)
    with TestClient(make_app(Classifier(Contract.verify(folder)))) as client:
        response = client.post(f"/v2/models/{model}/infer", json=document(numbers(images)))
    assert "output is not finite" in error_of(response)


def test_largest_batch_is_a_setting(classifier: Classifier) -> None:
    """Accept MAX_BATCH images and reject one more, in tensors and in files."""
    with TestClient(make_app(classifier, max_batch=2)) as client:
        for entry in (numbers(np.zeros((2, 1, 28, 28), np.float32)), strings(BASE64, BASE64)):
            assert client.post(INFER, json=document(entry)).status_code == 200
        for entry in (numbers(), strings(BASE64, BASE64, BASE64)):
            assert "Send at most 2 per request" in error_of(client.post(INFER, json=document(entry)))


@pytest.mark.parametrize(
    "path", ["/v2/models/cnn", "/v2/models/x/ready", f"{MODEL}/versions/2", f"{MODEL}/versions/2/ready"]
)
def test_unknown_model_gets_404(client: TestClient, path: str) -> None:
    """Name the model that is served."""
    assert "model 'cnn-transformer', version '1'" in error_of(client.get(path), 404)


@pytest.mark.parametrize("path", ["/v2/models/cnn/infer", f"{MODEL}/versions/2/infer"])
def test_inference_on_an_unknown_model_gets_404(client: TestClient, path: str) -> None:
    """Name the model that is served."""
    assert "model 'cnn-transformer', version '1'" in error_of(client.post(path, json=document(numbers())), 404)


def test_unknown_path_and_method_get_the_shape_of_the_protocol(client: TestClient) -> None:
    """Respond with 404 and 405."""
    assert "Unknown path" in error_of(client.get("/v2/unknown"), 404)
    assert error_of(client.get(INFER), 405) == "GET is not allowed here. Use POST."
    assert "detail" in client.get("/v2unknown").json()


def test_limits_get_the_shape_of_the_protocol(classifier: Classifier) -> None:
    """Respond with 413 to a large body, whether its length is declared or not."""
    with TestClient(make_app(classifier, max_upload_bytes=10_000)) as client:
        body = json.dumps(document(numbers())).encode()
        assert "larger than 10000 bytes" in error_of(client.post(INFER, content=body), 413)
        assert "larger than 10000 bytes" in error_of(client.post(INFER, content=iter([body])), 413)
        assert "detail" in client.post("/predict", content=body).json()


def test_service_that_is_not_ready_gets_the_shape_of_the_protocol(classifier: Classifier) -> None:
    """Respond with 503 and Retry-After."""
    response = TestClient(make_app(classifier, Readiness())).post(INFER, json=document(numbers()))
    assert error_of(response, 503) == "The service is starting. Try again in a moment."
    assert response.headers["retry-after"] == "1"


def test_deadline_gets_the_shape_of_the_protocol(classifier: Classifier) -> None:
    """Respond with 503 to a request that takes longer than REQUEST_TIMEOUT."""
    images = np.zeros((2_000, 1, 28, 28), np.float32)
    request = with_binary(document(binary(images.nbytes, shape=images.shape)), images.tobytes())
    with TestClient(make_app(classifier, request_timeout=0.05, max_batch=2_000)) as client:
        error = error_of(client.post(INFER, **request), 503)
    assert error.startswith("The request took longer than 0.05 s.")


def test_key_is_needed_as_everywhere(classifier: Classifier) -> None:
    """Respond with 401 without a key, except for the paths that orchestrators probe."""
    with TestClient(make_app(classifier, api_key=("secret",))) as client:
        for path in ("/v2", MODEL, f"{MODEL}/ready", "/v2/unknown"):
            assert "API key" in error_of(client.get(path), 401)
        assert "API key" in error_of(client.post(INFER, json=document(numbers())), 401)
        assert {client.get(f"/v2/health/{probe}").status_code for probe in ("live", "ready")} == {200}
        keyed = client.post(INFER, json=document(numbers()), headers={"X-API-Key": "secret"})
        assert keyed.status_code == 200


def test_forbidden_preflight_gets_the_shape_of_the_protocol(classifier: Classifier) -> None:
    """Respond with 400 to a browser's question from another origin."""
    headers = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
    with TestClient(make_app(classifier, cors_origins=("https://page.example",))) as client:
        assert "origin" in error_of(client.options(INFER, headers=headers))
        assert "detail" in client.options("/predict", headers=headers).json()
