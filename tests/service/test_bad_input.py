"""Bad input is an answer: a status, and one sentence that the client can act on."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.app import create_app
from service.classifier import Classifier
from service.lifecycle import Readiness
from service.settings import Settings
from service.uploads import LINGER
from tests.pictures import SEVEN, empty_png, encode

PNG = encode(SEVEN)
JPEG = encode(SEVEN, "JPEG")
GIF = encode(SEVEN, "GIF")
WEBP = encode(SEVEN, "WEBP")
BLANK = encode(Image.new("L", (28, 28), 255))
SUPPORTED = "Only JPEG and PNG are supported."

FILES = {
    "GIF declared as GIF": (("d.gif", GIF, "image/gif"), f"Invalid file type: image/gif. {SUPPORTED}"),
    "GIF declared as PNG": (("d.png", GIF, "image/png"), "neither a PNG nor a JPEG"),
    "GIF declared as nothing": (("d", GIF, "application/octet-stream"), "Invalid file type: application/octet-stream."),
    "WebP with a .png name": (("d.png", WEBP, "image/png"), "neither a PNG nor a JPEG"),
    "WebP declared as WebP": (("d.webp", WEBP, "image/webp"), f"Invalid file type: image/webp. {SUPPORTED}"),
    "PNG declared as GIF": (("d.gif", PNG, "image/gif"), f"Invalid file type: image/gif. {SUPPORTED}"),
    "empty file": (("d.png", b"", "image/png"), "the file is empty"),
    "truncated PNG": (("d.png", PNG[: len(PNG) // 2], "image/png"), "damaged or truncated"),
    "truncated JPEG": (("d.jpg", JPEG[: len(JPEG) // 2], "image/jpeg"), "damaged or truncated"),
    "PNG header alone": (("d.png", PNG[:8], "image/png"), "Error processing image"),
    "text file": (("d.txt", b"seven", "text/plain"), f"Invalid file type: text/plain. {SUPPORTED}"),
    "text declared as PNG": (("d.png", b"seven", "image/png"), "neither a PNG nor a JPEG"),
    "too many pixels": (("d.png", empty_png(20_000, 20_000), "image/png"), "it has too many pixels"),
    "blank": (("d.png", BLANK, "image/png"), "no digit found"),
}


def refusal(answer: Any, status: int = 400) -> str:
    """The detail of an answer that must be a refusal in the one error shape."""
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"detail"}
    assert answer.headers["content-type"] == "application/json"
    return str(answer.json()["detail"])


@pytest.mark.parametrize(("path", "field"), [("/predict", "file"), ("/predict-image", "image")])
@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_in_a_form(client: TestClient, name: str, path: str, field: str) -> None:
    """Each says what is wrong with it, and is no 500."""
    file, sentence = FILES[name]
    detail = refusal(client.post(path, files={field: file}))
    assert sentence in detail
    assert detail.startswith(("Invalid file type: ", "Error processing image: "))


@pytest.mark.parametrize("name", [name for name in FILES if name != "empty file"])
def test_a_bad_file_as_the_body(client: TestClient, name: str) -> None:
    """The same sentences without multipart."""
    (_, content, declared), sentence = FILES[name]
    assert sentence in refusal(client.post("/predict", content=content, headers={"Content-Type": declared}))


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_in_base64(client: TestClient, name: str) -> None:
    """The same sentences in a data URL."""
    (_, content, declared), sentence = FILES[name]
    url = f"data:{declared};base64,{base64.b64encode(content).decode()}"
    assert sentence in refusal(client.post("/predict-base64", json={"image": url}))


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "image/png"}])
def test_an_empty_body(client: TestClient, headers: dict[str, str]) -> None:
    """It says how a picture is sent."""
    assert "The body is empty" in refusal(client.post("/predict", content=b"", headers=headers))
    assert "multipart field 'image'" in refusal(client.post("/predict-image", content=b"", headers=headers))
    assert "not valid JSON" in refusal(client.post("/predict-base64", content=b"", headers=headers))


@pytest.mark.parametrize(("path", "field"), [("/predict", "file"), ("/predict-image", "image")])
def test_forms_that_lack_the_one_file(client: TestClient, path: str, field: str) -> None:
    """Wrong field, no field, a text, two files: each names the field."""
    file = ("d.png", PNG, "image/png")
    assert f"Field '{field}' is missing" in refusal(client.post(path, files={"picture": file}))
    assert f"Field '{field}' is text" in refusal(client.post(path, files={field: (None, b"seven")}))
    assert f"Field '{field}' is there 2 times" in refusal(client.post(path, files=[(field, file), (field, file)]))
    empty = client.post(path, content=b"--b--\r\n", headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert f"Field '{field}' is missing" in refusal(empty)


PART = b'Content-Disposition: form-data; name="file"; filename="d.png"\r\nContent-Type: image/png\r\n\r\n'
FORMS = {
    "no boundary": ("multipart/form-data", b"--b\r\n" + PART + PNG + b"\r\n--b--\r\n"),
    "another boundary": ("multipart/form-data; boundary=c", b"--b\r\n" + PART + PNG + b"\r\n--b--\r\n"),
    "no end": ("multipart/form-data; boundary=b", b"--b\r\n" + PART + PNG),
    "no name": ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    "no headers": ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
    "garbage": ("multipart/form-data; boundary=b", bytes(range(256)) * 4),
    "an empty boundary": ("multipart/form-data; boundary=", b"----\r\n" + PART + PNG + b"\r\n----\r\n"),
    "a boundary of 300 characters": ("multipart/form-data; boundary=" + "b" * 300, b"--" + b"b" * 300 + b"--"),
}


@pytest.mark.parametrize("name", FORMS)
def test_malformed_multipart(client: TestClient, name: str) -> None:
    """A form that cannot be parsed is the client's error."""
    content_type, content = FORMS[name]
    assert refusal(client.post("/predict", content=content, headers={"Content-Type": content_type}))


DOCUMENTS = {
    "malformed": (b'{"image": ', "not valid JSON"),
    "not UTF-8": (b'{"image": "\xff"}', "not valid JSON"),
    "nested too deep": (b"[" * 200_000, "not valid JSON"),
    "a number too long": (b'{"image": ' + b"9" * 5_000 + b"}", "not valid JSON"),
    "a list": (b'["image"]', "not a JSON object"),
    "a string": (b'"image"', "not a JSON object"),
    "null": (b"null", "not a JSON object"),
    "no image": (b'{"picture": "AAAA"}', "Field 'image' is missing"),
    "image is a number": (b'{"image": 7}', "Field 'image' is not a string"),
    "image is null": (b'{"image": null}', "Field 'image' is not a string"),
    "broken base64": (b'{"image": "AAAA!AAA"}', "Field 'image' is not valid base64"),
    "one character too many": (b'{"image": "AAAAA"}', "Field 'image' is not valid base64"),
    "padding in the middle": (b'{"image": "AA==AAAA"}', "Field 'image' is not valid base64"),
    "not ASCII": ('{"image": "AAA\u00e9"}'.encode(), "Field 'image' is not valid base64"),
    "a lone surrogate": (b'{"image": "\\ud800"}', "Field 'image' is not valid base64"),
    "a type that is no text": (b'{"image": "data:\\ud800;base64,AAAA"}', "Invalid file type: \\ud800. Only"),
    "a type without end": (b'{"image": "data:' + b"x" * 9_000 + b',AAAA"}', f"Invalid file type: {'x' * 100}. Only"),
    "a comma": (b'{"image": "AAAA,AAAA"}', "Field 'image' is not valid base64"),
    "empty": (b'{"image": ""}', "the file is empty"),
    "a data URL with nothing in it": (b'{"image": "data:image/png;base64,"}', "the file is empty"),
    "a data URL that is not in base64": (b'{"image": "data:image/png,%89PNG"}', "Field 'image' is not valid base64"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_bad_json_document(client: TestClient, name: str) -> None:
    """Each names what is wrong, and the field."""
    content, sentence = DOCUMENTS[name]
    headers = {"Content-Type": "application/json"}
    assert sentence in refusal(client.post("/predict-base64", content=content, headers=headers))


def test_unknown_paths_and_methods(client: TestClient) -> None:
    """404 says where pictures go, 405 how."""
    assert "/predict" in refusal(client.get("/nowhere"), 404)
    wrong_method = client.get("/predict")
    assert "Use POST" in refusal(wrong_method, 405)
    assert wrong_method.headers["allow"] == "POST"


@pytest.fixture(scope="module")
def small(classifier: Classifier) -> Iterator[TestClient]:
    """A service that takes little."""
    settings = Settings(max_upload_bytes=5_000)
    with TestClient(create_app(settings, classifier, Readiness())) as client:
        yield client


@pytest.mark.parametrize("path", ["/predict", "/predict-image", "/predict-base64"])
@pytest.mark.parametrize("size", [5_001, 5_000 * LINGER + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_too_large(small: TestClient, path: str, size: int, chunked: bool) -> None:
    """One error shape, whether or not the length is declared."""
    content = iter([b"x" * 1_000] * (size // 1_000) + [b"x" * (size % 1_000)]) if chunked else b"x" * size
    assert "larger than 5000 bytes" in refusal(small.post(path, content=content), 413)


def test_an_upload_of_exactly_the_limit_is_taken(small: TestClient) -> None:
    """Padding after a PNG's end is nobody's business."""
    answer = small.post("/predict", content=PNG + bytes(5_000 - len(PNG)), headers={"Content-Type": "image/png"})
    assert answer.status_code == 200


@pytest.mark.parametrize("seed", range(3))
def test_no_bytes_give_a_500(client: TestClient, seed: int) -> None:
    """A short fuzzing run: damaged pictures, forms and documents, at every route."""
    rng = np.random.default_rng(seed)
    form = b"--b\r\n" + PART + PNG + b"\r\n--b--\r\n"
    document = json.dumps({"image": base64.b64encode(PNG).decode()}).encode()
    kinds = [("image/png", PNG), ("image/jpeg", JPEG), ("multipart/form-data; boundary=b", form), ("", document)]
    for _ in range(60):
        content_type, whole = kinds[rng.integers(len(kinds))]
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), rng.integers(1, 8))] = rng.integers(0, 256)
        content = damaged[: rng.integers(1, len(damaged) + 1)].tobytes()
        for path in ("/predict", "/predict-image", "/predict-base64"):
            answer = client.post(path, content=content, headers={"Content-Type": content_type})
            assert answer.status_code in (200, 400)
            assert answer.json()
