"""Crafted uploads get 200 or 400 from the real app, and a right answer where they are legal."""

import base64
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.hostile.documents import DOCUMENTS
from tests.hostile.forms import CONTENT_TYPE, FORMS
from tests.hostile.inferences import INFERENCES
from tests.hostile.jpegs import JPEGS
from tests.hostile.pngs import PNGS
from tests.images import DIGIT
from tests.service.web.inference_requests import INFER

MAX_BASE64_BYTES = 1_000_000


def check(response: Any) -> None:
    """Check that a response is a digit or a reason."""
    assert response.status_code in (200, 400), response.text
    assert "digit" in response.json() if response.status_code == 200 else response.json().keys() == {"detail"}


@pytest.mark.parametrize("name", PNGS)
def test_crafted_png_is_answered(client: TestClient, name: str) -> None:
    """Respond with 200 or 400 to the image as the body and, if it is not large, in base64."""
    answer_picture(client, PNGS[name]())


@pytest.mark.parametrize("name", JPEGS)
def test_crafted_jpeg_is_answered(client: TestClient, name: str) -> None:
    """Respond with 200 or 400 to the image as the body and, if it is not large, in base64."""
    answer_picture(client, JPEGS[name]())


def answer_picture(client: TestClient, content: bytes) -> None:
    check(client.post("/predict", content=content))
    if len(content) <= MAX_BASE64_BYTES:
        check(client.post("/predict-base64", json={"image": base64.b64encode(content).decode()}))


@pytest.mark.parametrize("name", FORMS)
def test_crafted_form_is_answered(client: TestClient, name: str) -> None:
    """Respond with 200 or 400 to the form at every route that takes one."""
    body = FORMS[name]()
    for path in ("/predict", "/predict-image"):
        check(client.post(path, content=body, headers={"Content-Type": CONTENT_TYPE}))
    assert client.post("/predict-batch", content=body, headers={"Content-Type": CONTENT_TYPE}).status_code == 400


@pytest.mark.parametrize("name", DOCUMENTS)
def test_crafted_document_is_answered(client: TestClient, name: str) -> None:
    """Respond with 200 or 400 to the document."""
    check(client.post("/predict-base64", content=DOCUMENTS[name]()))


@pytest.mark.parametrize("name", INFERENCES)
def test_crafted_inference_request_is_answered(client: TestClient, name: str) -> None:
    """Respond with logits or 400 to the request."""
    response = client.post(INFER, content=INFERENCES[name]())
    assert response.status_code in (200, 400), response.text
    assert response.json().keys() & {"outputs", "error"}


@pytest.mark.parametrize("name", [name for name in FORMS if name.startswith("file name") and "without" not in name])
def test_every_file_name_is_accepted(client: TestClient, name: str) -> None:
    """Read the digit whatever the file is called."""
    response = client.post("/predict", content=FORMS[name](), headers={"Content-Type": CONTENT_TYPE})
    assert response.json()["digit"] == DIGIT


LEGAL_DOCUMENTS = (
    "base64 of a digit and 7 MB",
    "UTF-16",
    "UTF-8 with a byte order mark",
    "image in an object before",
    "image key in a string before",
    "comment of 60 KB before",
)


@pytest.mark.parametrize("name", LEGAL_DOCUMENTS)
def test_unusual_but_legal_document_is_read(client: TestClient, name: str) -> None:
    """Read the digit from documents that programs write, however rarely."""
    assert client.post("/predict-base64", content=DOCUMENTS[name]()).json()["digit"] == DIGIT
