"""The prediction routes respond with the digit of an image, however the client sends it."""

import base64
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.conftest import ROOT
from tests.images import DIGIT, SEVEN, encode

PNG = encode(SEVEN)
JPEG = encode(SEVEN, "JPEG")
EXAMPLES = sorted((ROOT / "examples").glob("*.[pj][np]g"))


@pytest.mark.parametrize(("content", "declared"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (JPEG, "image/jpg")])
def test_predict_accepts_a_form(client: TestClient, content: bytes, declared: str) -> None:
    """Respond with digit and confidence to a form with field `file`."""
    response = client.post("/predict", files={"file": ("seven", content, declared)})
    assert response.status_code == 200
    assert response.json().keys() == {"digit", "confidence"}
    assert response.json()["digit"] == DIGIT
    assert 0.5 < response.json()["confidence"] <= 1


@pytest.mark.parametrize("headers", [{"Content-Type": "image/png"}, {"Content-Type": "application/octet-stream"}, {}])
def test_predict_accepts_an_image_as_the_body(client: TestClient, headers: dict[str, str]) -> None:
    """Respond to an image as the body, with its own type, with the type of any bytes, or with none."""
    response = client.post("/predict", content=PNG, headers=headers)
    assert response.status_code == 200
    assert response.json()["digit"] == DIGIT


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        ("/predict-image", {"files": {"image": ("seven.png", PNG, "image/png")}}),
        ("/predict-base64", {"json": {"image": base64.b64encode(PNG).decode()}}),
    ],
)
def test_probabilities_are_returned(client: TestClient, path: str, request_: dict[str, Any]) -> None:
    """Respond with digit, confidence and ten probabilities, rounded to four decimals."""
    response = client.post(path, **request_).json()
    assert response.keys() == {"digit", "confidence", "probabilities"}
    assert len(response["probabilities"]) == 10
    assert sum(response["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert response["confidence"] == max(response["probabilities"]) == response["probabilities"][response["digit"]]
    assert response["probabilities"] == [round(probability, 4) for probability in response["probabilities"]]


@pytest.mark.parametrize("declared", [None, "application/octet-stream"])
def test_part_without_a_type_is_accepted_by_its_signature(client: TestClient, declared: str | None) -> None:
    """Accept a file without a declared type, because many clients declare none."""
    headers = b'--b\r\nContent-Disposition: form-data; name="image"; filename="seven"\r\n'
    headers += f"Content-Type: {declared}\r\n".encode() if declared else b""
    body = headers + b"\r\n" + PNG + b"\r\n--b--\r\n"
    response = client.post("/predict-image", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert response.json()["digit"] == DIGIT


@pytest.mark.parametrize("charset", ["utf-8", "undefined", "klingon"])
def test_charset_of_a_form_is_ignored(client: TestClient, charset: str) -> None:
    """Ignore the charset of a form, known or not: field names are compared as bytes."""
    headers = b'--b\r\nContent-Disposition: form-data; name="file"; filename="seven"\r\n\r\n'
    content_type = f"multipart/form-data; charset={charset}; boundary=b"
    body = headers + PNG + b"\r\n--b--\r\n"
    assert client.post("/predict", content=body, headers={"Content-Type": content_type}).json()["digit"] == DIGIT


def test_every_encoding_gives_the_same_prediction(client: TestClient) -> None:
    """Respond with the same prediction to a form, a body and base64 of the same image."""
    short = client.post("/predict", files={"file": ("seven.png", PNG, "image/png")}).json()
    assert client.post("/predict", content=PNG, headers={"Content-Type": "image/png"}).json() == short
    full = client.post("/predict-image", files={"image": ("seven.png", PNG, "image/png")}).json()
    assert client.post("/predict-base64", json={"image": base64.b64encode(PNG).decode()}).json() == full
    assert {key: full[key] for key in short} == short


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example_is_predicted_correctly(client: TestClient, example: Path) -> None:
    """Respond with the first character of the file's name, which is its label."""
    with example.open("rb") as file:
        response = client.post("/predict", files={"file": file})
    assert response.json()["digit"] == int(example.name[0])
