"""Invalid input gets status 400 and one sentence that the client can act on, at every route."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.images import SEVEN, empty_png, encode

PNG = encode(SEVEN)
JPEG = encode(SEVEN, "JPEG")
GIF = encode(SEVEN, "GIF")
WEBP = encode(SEVEN, "WEBP")
BLANK = encode(Image.new("L", (28, 28), 255))
SUPPORTED = "Only JPEG and PNG are supported."

FILES = {
    "GIF declared as GIF": (("d.gif", GIF, "image/gif"), f"Invalid file type: image/gif. {SUPPORTED}"),
    "GIF declared as PNG": (("d.png", GIF, "image/png"), "neither a PNG nor a JPEG"),
    "undeclared GIF": (("d", GIF, "application/octet-stream"), "Invalid file type: application/octet-stream."),
    "WebP with a .png name": (("d.png", WEBP, "image/png"), "neither a PNG nor a JPEG"),
    "WebP declared as WebP": (("d.webp", WEBP, "image/webp"), f"Invalid file type: image/webp. {SUPPORTED}"),
    "PNG declared as GIF": (("d.gif", PNG, "image/gif"), f"Invalid file type: image/gif. {SUPPORTED}"),
    "empty file": (("d.png", b"", "image/png"), "the file is empty"),
    "truncated PNG": (("d.png", PNG[: len(PNG) // 2], "image/png"), "damaged or truncated"),
    "truncated JPEG": (("d.jpg", JPEG[: len(JPEG) // 2], "image/jpeg"), "damaged or truncated"),
    "PNG signature alone": (("d.png", PNG[:8], "image/png"), "Error processing image"),
    "text file": (("d.txt", b"seven", "text/plain"), f"Invalid file type: text/plain. {SUPPORTED}"),
    "text declared as PNG": (("d.png", b"seven", "image/png"), "neither a PNG nor a JPEG"),
    "too many pixels": (("d.png", empty_png(20_000, 20_000), "image/png"), "it has too many pixels"),
    "blank image": (("d.png", BLANK, "image/png"), "no digit found"),
}


def detail_of(response: Any) -> str:
    """Return the detail of a response that must be a 400 in the one error format."""
    assert response.status_code == 400, response.text
    assert response.json().keys() == {"detail"}
    assert response.headers["content-type"] == "application/json"
    return str(response.json()["detail"])


@pytest.mark.parametrize(("path", "field"), [("/predict", "file"), ("/predict-image", "image")])
@pytest.mark.parametrize("name", FILES)
def test_invalid_file_in_a_form(client: TestClient, name: str, path: str, field: str) -> None:
    """Respond with 400 and the reason to an invalid file in a form."""
    file, reason = FILES[name]
    detail = detail_of(client.post(path, files={field: file}))
    assert reason in detail
    assert detail.startswith(("Invalid file type: ", "Error processing image: "))


@pytest.mark.parametrize("name", [name for name in FILES if name != "empty file"])
def test_invalid_file_as_the_body(client: TestClient, name: str) -> None:
    """Respond with 400 and the same reason to an invalid file as the body."""
    (_, content, declared), reason = FILES[name]
    assert reason in detail_of(client.post("/predict", content=content, headers={"Content-Type": declared}))


@pytest.mark.parametrize("name", FILES)
def test_invalid_file_in_base64(client: TestClient, name: str) -> None:
    """Respond with 400 and the same reason to an invalid file in a data URL."""
    (_, content, declared), reason = FILES[name]
    url = f"data:{declared};base64,{base64.b64encode(content).decode()}"
    assert reason in detail_of(client.post("/predict-base64", json={"image": url}))


@pytest.mark.parametrize("text", ["", "data:image/png;base64,"])
def test_empty_base64(client: TestClient, text: str) -> None:
    """Respond with 400 and the reason of the decoder to empty base64."""
    assert "the file is empty" in detail_of(client.post("/predict-base64", json={"image": text}))


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "image/png"}])
def test_empty_body(client: TestClient, headers: dict[str, str]) -> None:
    """Respond with 400 and explain how to send an image."""
    assert "The body is empty" in detail_of(client.post("/predict", content=b"", headers=headers))
    assert "multipart field 'image'" in detail_of(client.post("/predict-image", content=b"", headers=headers))
    assert "not valid JSON" in detail_of(client.post("/predict-base64", content=b"", headers=headers))
    assert "multipart field 'files'" in detail_of(client.post("/predict-batch", content=b"", headers=headers))


@pytest.mark.parametrize(("path", "field"), [("/predict", "file"), ("/predict-image", "image")])
def test_form_without_exactly_one_image(client: TestClient, path: str, field: str) -> None:
    """Respond with 400 and name the field if the form lacks it, repeats it or holds a text in it."""
    file = ("d.png", PNG, "image/png")
    assert f"Field '{field}' is missing" in detail_of(client.post(path, files={"photo": file}))
    assert f"Field '{field}' is text" in detail_of(client.post(path, files={field: (None, b"seven")}))
    assert f"Field '{field}' occurs 2 times" in detail_of(client.post(path, files=[(field, file), (field, file)]))
    empty = client.post(path, content=b"--b--\r\n", headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert f"Field '{field}' is missing" in detail_of(empty)


PART = b'Content-Disposition: form-data; name="file"; filename="d.png"\r\nContent-Type: image/png\r\n\r\n'
FORM = b"--b\r\n" + PART + PNG + b"\r\n--b--\r\n"
FORMS = {
    "no boundary": ("", FORM, "has no boundary"),
    "empty boundary": ("; boundary=", b"----\r\n" + PART + PNG + b"\r\n----\r\n", "has no boundary"),
    "other boundary": ("; boundary=c", FORM, "ends before its closing boundary"),
    "no end": ("; boundary=b", b"--b\r\n" + PART + PNG, "ends before its closing boundary"),
    "no name": ("; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "'file' is missing"),
    "no headers": ("; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", "'file' is missing"),
    "random bytes": ("; boundary=b", bytes(range(256)) * 4, "ends before its closing boundary"),
    "boundary of 300 characters": ("; boundary=" + "b" * 300, b"--" + b"b" * 300 + b"--", "'file' is missing"),
}


@pytest.mark.parametrize("path", ["/predict", "/predict-image", "/predict-batch", "/predict-number"])
@pytest.mark.parametrize("name", FORMS)
def test_malformed_form(client: TestClient, name: str, path: str) -> None:
    """Respond with 400 and the reason to a form that cannot be parsed or lacks the field."""
    parameters, content, reason = FORMS[name]
    field = {"/predict": "file", "/predict-image": "image", "/predict-batch": "files", "/predict-number": "file"}[path]
    headers = {"Content-Type": "multipart/form-data" + parameters}
    detail = detail_of(client.post(path, content=content, headers=headers))
    assert reason.replace("'file'", f"'{field}'") in detail


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_never_cause_a_server_error(client: TestClient, seed: int) -> None:
    """Respond with 200 or 400 to 60 randomly damaged images, forms and documents at every route."""
    rng = np.random.default_rng(seed)
    document = json.dumps({"image": base64.b64encode(PNG).decode()}).encode()
    kinds = [("image/png", PNG), ("image/jpeg", JPEG), ("multipart/form-data; boundary=b", FORM), ("", document)]
    for _ in range(60):
        content_type, whole = kinds[rng.integers(len(kinds))]
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), rng.integers(1, 8))] = rng.integers(0, 256)
        content = damaged[: rng.integers(1, len(damaged) + 1)].tobytes()
        for path in ("/predict", "/predict-image", "/predict-base64", "/predict-batch", "/predict-number"):
            response = client.post(path, content=content, headers={"Content-Type": content_type})
            assert response.status_code in (200, 400)
            assert response.json()
