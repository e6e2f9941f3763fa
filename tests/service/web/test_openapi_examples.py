"""Every example in the description is sent to a running service, which responds as the example says."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from service.web.openapi.examples import NOT_AN_IMAGE, NUMBER, SIX, batch_files
from tests.conftest import ROOT
from tests.images import png
from tests.service.process.running_service import COMMAND, PYTHON, Service, running_service, wait_until

Json = dict[str, Any]
KEY = "first-key"
TEXT = (None, "seven")
GIF = {"Content-Type": "image/gif"}
WITHOUT_OFFAPI = "import sys; sys.modules['offapi'] = None; from service.__main__ import main; main()"

SETTINGS: dict[str, dict[str, str]] = {
    "defaults": {},
    "the other model": {"MODEL": "cnn", "HEALTH_STATUS": "healthy"},
    "least sizes": {"MAX_UPLOAD_BYTES": "1000", "MAX_BATCH": "1", "MAX_DECODED_BYTES": "2000", "WORKERS": "2"},
    "keys": {"API_KEY": f"{KEY},second-key", "MAX_BATCH": "2", "MAX_UPLOAD_BYTES": "70000"},
}


def file(content: bytes = SIX) -> tuple[str, bytes, str]:
    return ("digit.png", content, "image/png")


def files(max_batch: int, field: str = "files") -> list[tuple[str, Any]]:
    return [(field, file(content)) for content in batch_files(max_batch)]


BLANK = png(np.full((28, 28), 255, np.uint8))


def inference(datatype: str = "BYTES", shape: Any = (1,), data: Any = ("***",), **keys: Any) -> Json:
    """Return a request of the Open Inference Protocol. keys: of the request."""
    entry = {"name": "image", "datatype": datatype, "shape": list(shape), "data": list(data)}
    return {"json": {"inputs": [entry], **keys}}


INFERENCES: dict[str, Callable[[int], Json]] = {
    "notJson": lambda _: {"content": NOT_AN_IMAGE},
    "noInput": lambda _: {"json": {}},
    "wrongDatatype": lambda _: inference("UINT8"),
    "wrongShape": lambda _: inference("FP32", (28, 28)),
    "tooMany": lambda max_batch: inference(shape=[max_batch + 1]),
    "notNumbers": lambda _: inference("FP32", (1, 1, 28, 28), [0.5]),
    "notBase64": lambda _: inference(),
    "notAnImage": lambda _: inference(data=["c2V2ZW4="]),
    "unknownOutput": lambda _: inference(outputs=[{"name": "digit"}]),
    "unknownModel": lambda _: inference(),
}

REQUESTS: dict[str, dict[str, Callable[[int], Json]]] = {
    "/predict": {
        "six": lambda _: {"files": {"file": file()}},
        "missingField": lambda _: {"files": {"photo": file()}},
        "text": lambda _: {"files": {"file": TEXT}},
        "notAnImage": lambda _: {"files": {"file": file(NOT_AN_IMAGE)}},
        "blank": lambda _: {"files": {"file": file(BLANK)}},
        "wrongType": lambda _: {"content": SIX, "headers": GIF},
    },
    "/predict-image": {
        "six": lambda _: {"files": {"image": file()}},
        "sixExplained": lambda _: {"files": {"image": file()}, "params": {"explain": "true"}},
        "missingField": lambda _: {"files": {"photo": file()}},
        "text": lambda _: {"files": {"image": TEXT}},
        "notAnImage": lambda _: {"files": {"image": file(NOT_AN_IMAGE)}},
        "blank": lambda _: {"files": {"image": file(BLANK)}},
        "wrongExplain": lambda _: {"files": {"image": file()}, "params": {"explain": "yes"}},
    },
    "/predict-number": {
        "fortyTwo": lambda _: {"files": {"file": file(NUMBER)}},
        "fortyTwoExplained": lambda _: {"files": {"file": file(NUMBER)}, "params": {"explain": "true"}},
        "wrongExplain": lambda _: {"files": {"file": file(NUMBER)}, "params": {"explain": "yes"}},
        "missingField": lambda _: {"files": {"photo": file()}},
        "text": lambda _: {"files": {"file": TEXT}},
        "notAnImage": lambda _: {"content": NOT_AN_IMAGE, "headers": {"Content-Type": "image/png"}},
        "blank": lambda _: {"content": BLANK},
    },
    "/predict-base64": {
        "missingKey": lambda _: {"json": {"picture": ""}},
        "notJson": lambda _: {"content": NOT_AN_IMAGE},
        "notBase64": lambda _: {"json": {"image": "***"}},
        "notAnImage": lambda _: {"json": {"image": "c2V2ZW4="}},
    },
    "/predict-batch": {
        "sixAndInvalid": lambda max_batch: {"files": files(max_batch)},
        "missingField": lambda max_batch: {"files": files(max_batch, "file")},
        "text": lambda _: {"files": {"files": TEXT}},
        "tooMany": lambda max_batch: {"files": [("files", file(b""))] * (max_batch + 1)},
    },
    "/v2/models/{name}/infer": INFERENCES,
    "/v2/models/{name}/versions/{version}/infer": INFERENCES,
}
"""The request of each example whose request is not in the description itself, for a largest batch."""


@pytest.fixture(scope="module", params=SETTINGS)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """Run a service with other settings. Send a key, which is ignored where none is needed."""
    log = tmp_path_factory.mktemp("service") / "log"
    with running_service(log, COMMAND, ROOT, None, **SETTINGS[request.param]) as service, connect(service) as client:
        yield client


def connect(service: Service) -> httpx2.Client:
    return httpx2.Client(base_url=f"http://127.0.0.1:{service.port}", headers={"X-API-Key": KEY})


@pytest.fixture
def document(live: httpx2.Client) -> Json:
    return dict(live.get("/openapi.json").json())


def examples(document: Json) -> Iterator[tuple[str, str, int, str, Any]]:
    """Yield each example of a response: method, path, status, name and value."""
    for method, path, status, response in responses(document):
        for content in response.get("content", {}).values():
            for name, example in content.get("examples", {}).items():
                yield method, path, status, name, example["value"]


def responses(document: Json) -> Iterator[tuple[str, str, int, Json]]:
    """Yield each response, without references: method, path, status and description."""
    operations = [(method, path, item[method]) for path, item in document["paths"].items() for method in item]
    for method, path, operation in operations:
        for status, response in operation["responses"].items():
            yield method, path, int(status), resolve(document, response)


def resolve(document: Json, response: Json) -> Json:
    """Follow the reference to a shared response."""
    reference = response.get("$ref")
    return dict(document["components"]["responses"][reference.rpartition("/")[2]]) if reference else response


def request_of(document: Json, path: str, name: str) -> Json:
    """Return the request of an example: the one of the same name in the description, or that of REQUESTS."""
    if name == "uploadTooLarge":
        limit = re.search(r"\d+", document["components"]["responses"]["TooLarge"]["description"])
        assert limit
        return {"content": bytes(int(limit[0]) + 1), "headers": {"Content-Type": "multipart/form-data; boundary=b"}}
    content = document["paths"][path]["post"]["requestBody"]["content"]
    described = content.get("application/json", {}).get("examples", {})
    max_batch = document["components"]["schemas"]["Batch"]["properties"]["predictions"]["maxItems"]
    return {"json": described[name]["value"]} if name in described else REQUESTS[path][name](max_batch)


def address(document: Json, method: str, path: str, name: str) -> str:
    """Return the path of an example, with the first value of each of its parameters."""
    parameters = document["paths"][path][method].get("parameters", [])
    values = {entry["name"]: entry["schema"]["enum"][0] for entry in parameters if entry["in"] == "path"}
    return path.format(**(values | {"name": "unknown"} if name == "unknownModel" else values))


def test_every_example_is_answered_as_it_says(live: httpx2.Client, document: Json) -> None:
    """Respond to each request with the status and exactly the JSON of its example."""
    sent = set()
    for method, path, status, name, value in examples(document):
        if name in ("draining", "notInstalled"):
            continue  # below
        url = address(document, method, path, name)
        if name == "keyMissing":
            response = live.request(method, url, headers={"X-API-Key": "wrong"})
        else:
            response = live.request(method, url, **(request_of(document, path, name) if method == "post" else {}))
        assert (response.status_code, response.json()) == (status, value), (path, name)
        sent.add((path, name))
    unused = {(path, name) for path, requests in REQUESTS.items() for name in requests} - sent
    assert not unused, "the description has no such example"


def test_every_example_of_a_request_has_its_response(document: Json) -> None:
    """Name a response like each request, so that a reader finds it."""
    answered = {(path, name) for _, path, _, name, _ in examples(document)}
    named = {
        (path, name)
        for path, item in document["paths"].items()
        for operation in item.values()
        for name in operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
    }
    assert named
    assert named <= answered


def test_the_example_is_the_committed_file() -> None:
    """Show an image that the reader has in `examples/`."""
    assert (ROOT / "examples" / "6-black-on-white-28x28.png").read_bytes() == SIX


def test_draining_service_answers_as_its_example(tmp_path: Path) -> None:
    """Respond to the probes of readiness with 503 after SIGTERM."""
    with running_service(tmp_path / "log", DRAIN_SECONDS="600") as service, connect(service) as client:
        document = client.get("/openapi.json").json()
        expected = {
            address(document, method, path, name): value
            for method, path, _, name, value in examples(document)
            if name == "draining"
        }
        assert len(expected) == 4
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: client.get("/ready").status_code == 503)
        for path, value in expected.items():
            response = client.get(path)
            assert (response.status_code, response.json()) == (503, value)
        service.process.kill()  # rather than wait for the end of the drain


def test_missing_pages_answer_as_their_example(tmp_path: Path) -> None:
    """Respond to the pages with 404 where offapi is not installed; the description stays."""
    with running_service(tmp_path / "log", (PYTHON, "-c", WITHOUT_OFFAPI)) as service, connect(service) as client:
        missing = [
            (path, value)
            for _, path, _, name, value in examples(client.get("/openapi.json").json())
            if name == "notInstalled"
        ]
        assert [path for path, _ in missing] == ["/docs", "/redoc"]
        for path, value in missing:
            response = client.get(path)
            assert (response.status_code, response.json()) == (404, value)
