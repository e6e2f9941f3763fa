"""Triton's own HTTP client works with the running service, in both encodings and with every size of batch."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.inference.classifier import Classifier
from service.settings import Settings
from tests.images import DIGIT, SEVEN, encode
from tests.service.process.running_service import Service, running_service

triton = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")

MODEL = Settings().model
PNG = encode(SEVEN)
BATCHES = [1, 7, 64]
ENCODINGS = pytest.mark.parametrize("binary", [False, True], ids=["JSON", "binary"])
SIZES = pytest.mark.parametrize("size", BATCHES)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service") / "log") as service:
        yield service


@pytest.fixture(scope="module")
def server(service: Service) -> Iterator[Any]:
    """Connect Triton's client."""
    client = triton.InferenceServerClient(f"127.0.0.1:{service.port}")
    yield client
    client.close()


def tensor(values: NDArray[Any], datatype: str, *, binary: bool, name: str = "image") -> Any:
    """Return an input of the client."""
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def images(size: int) -> NDArray[np.float32]:
    return np.random.default_rng(size).normal(size=(size, 1, 28, 28)).astype(np.float32)


def test_server_and_model_are_live_and_ready(server: Any) -> None:
    """Answer every question about health."""
    assert server.is_server_live()
    assert server.is_server_ready()
    assert server.is_model_ready(MODEL)
    assert server.is_model_ready(MODEL, "1")
    assert not server.is_model_ready("unknown")
    assert not server.is_model_ready(MODEL, "2")


def test_metadata_describes_the_tensors(server: Any) -> None:
    """Describe the server, and the model with and without its version."""
    assert server.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = server.get_model_metadata(MODEL)
    assert metadata == server.get_model_metadata(MODEL, metadata["versions"][0])
    assert [entry["name"] for entry in metadata["inputs"]] == ["image"]


@ENCODINGS
@SIZES
def test_tensor_gets_the_logits_of_the_network(server: Any, classifier: Classifier, size: int, binary: bool) -> None:
    """Return what the network returns for the same batch, chunk by chunk, with the id of the request."""
    given = tensor(images(size), "FP32", binary=binary)
    outputs = [triton.InferRequestedOutput("logits", binary_data=binary)]
    result = server.infer(MODEL, [given], outputs=outputs, request_id="7")
    chunks = np.split(images(size), range(32, size, 32))
    expected = [prediction.logits for chunk in chunks for prediction in classifier.classify(chunk)]
    assert result.as_numpy("logits") == pytest.approx(np.array(expected), abs=1e-5)
    assert result.get_response()["id"] == "7"


@ENCODINGS
@SIZES
def test_probabilities_are_returned_on_request(server: Any, size: int, binary: bool) -> None:
    """Return both outputs if both are requested, each in its own encoding; by default the logits alone."""
    given = [tensor(images(size), "FP32", binary=True)]
    outputs = [
        triton.InferRequestedOutput("probabilities", binary_data=binary),
        triton.InferRequestedOutput("logits", binary_data=not binary),
    ]
    result = server.infer(MODEL, given, model_version="1", outputs=outputs)
    exponentials = np.exp(result.as_numpy("logits"))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    assert result.as_numpy("probabilities") == pytest.approx(probabilities, abs=1e-5)
    default = server.infer(MODEL, given)
    assert np.array_equal(default.as_numpy("logits"), result.as_numpy("logits"))
    assert default.as_numpy("probabilities") is None


@ENCODINGS
@SIZES
@pytest.mark.parametrize("columns", [0, 1])
def test_image_files_are_read(service: Service, server: Any, size: int, binary: bool, columns: int) -> None:
    """Read files as /predict does: as they are in binary data, in base64 in JSON."""
    content = PNG if binary else base64.b64encode(PNG)
    files = np.array([content] * size, dtype=object).reshape((size,) + (1,) * columns)
    outputs = [triton.InferRequestedOutput("probabilities", binary_data=binary)]
    result = server.infer(MODEL, [tensor(files, "BYTES", binary=binary)], outputs=outputs)
    probabilities = result.as_numpy("probabilities")
    assert probabilities.argmax(axis=1).tolist() == [DIGIT] * size
    assert probabilities[:, DIGIT] == pytest.approx(service.predict()[1]["confidence"], abs=1e-3)


@pytest.mark.parametrize(
    ("values", "datatype", "name", "message"),
    [
        (images(1), "FP32", "other", 'Unknown input "other"'),
        (images(1).astype(np.float64), "FP64", "image", 'datatype "FP64"'),
        (images(1).astype(np.uint8), "UINT8", "image", 'datatype "UINT8"'),
        (images(1)[0], "FP32", "image", "shape [1, 28, 28]"),
        (images(65), "FP32", "image", "Send at most 64"),
        (images(0), "FP32", "image", "N from 1"),
        (np.full((1, 1, 28, 28), np.nan, np.float32), "FP32", "image", "not"),
        (np.full((1, 1, 28, 28), np.inf, np.float32), "FP32", "image", "not"),
    ],
    ids=["name", "FP64", "UINT8", "rank", "batch", "empty", "NaN", "infinity"],
)
@ENCODINGS
def test_bad_tensor_raises_the_error_of_the_client(
    server: Any, values: NDArray[Any], datatype: str, name: str, message: str, binary: bool
) -> None:
    """Let the client raise its own exception, with status 400 and the service's sentence."""
    with pytest.raises(triton.InferenceServerException) as raised:
        server.infer(MODEL, [tensor(values, datatype, binary=binary, name=name)])
    assert raised.value.status() == "400"
    assert message in raised.value.message()


def test_unknown_model_raises_the_error_of_the_client(server: Any) -> None:
    """Let the client raise its own exception, with status 404."""
    with pytest.raises(triton.InferenceServerException, match="Unknown model") as raised:
        server.infer("unknown", [tensor(images(1), "FP32", binary=True)])
    assert raised.value.status() == "404"


def test_requests_may_run_at_once(service: Service) -> None:
    """Return to each of several requests its own logits."""
    with triton.InferenceServerClient(f"127.0.0.1:{service.port}", concurrency=8) as many:
        pending = [many.async_infer(MODEL, [tensor(images(size), "FP32", binary=True)]) for size in range(1, 17)]
        shapes = [request.get_result().as_numpy("logits").shape for request in pending]
    assert shapes == [(size, 10) for size in range(1, 17)]
