"""A batch gets one result per file, in order, whatever the other files are."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from service.imaging.decode import open_image
from service.inference.batch_limit import MAX_SECONDS
from service.inference.classifier import Classifier
from tests.conftest import ROOT, make_app
from tests.hostile.jpeg_writer import jpeg, scan
from tests.images import DIGIT, SEVEN, encode

PNG = encode(SEVEN)
EXAMPLES = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.[pj][np]g"))]


def form_files(*files: bytes) -> list[tuple[str, Any]]:
    return [("files", (f"{index}", file, "application/octet-stream")) for index, file in enumerate(files)]


def test_each_file_gets_the_prediction_that_it_gets_alone(client: TestClient) -> None:
    """Respond with the same keys and digit as /predict-image, and the same probabilities up to int8 rounding."""
    results = client.post("/predict-batch", files=form_files(*EXAMPLES)).json()["predictions"]
    for file, result in zip(EXAMPLES, results, strict=True):
        alone = client.post("/predict-image", files={"image": file}).json()
        assert result.keys() == alone.keys()
        assert result["digit"] == alone["digit"]
        assert result["probabilities"] == pytest.approx(alone["probabilities"], abs=0.02)


def test_invalid_file_gets_its_error_at_its_index(client: TestClient) -> None:
    """Respond with 200 and a detail for a truncated file, an unsupported type and a text, at their index."""
    files = [
        *form_files(PNG, PNG[:50]),
        ("files", ("d.gif", PNG, "image/gif")),
        ("files", (None, "7")),
        *form_files(PNG),
    ]
    response = client.post("/predict-batch", files=files)
    assert response.status_code == 200
    first, truncated, gif, text, last = response.json()["predictions"]
    assert first["digit"] == last["digit"] == DIGIT
    assert truncated.keys() == gif.keys() == text.keys() == {"detail"}
    assert truncated["detail"].startswith("Error processing image: the file is damaged or truncated")
    assert gif["detail"] == "Invalid file type: image/gif. Only JPEG and PNG are supported."
    assert text["detail"] == "Field 'files' is text. Send the image as a file, with a file name."


def test_batch_without_valid_files_is_not_an_error(client: TestClient) -> None:
    """Respond with 200 and one detail per file if no file is valid."""
    response = client.post("/predict-batch", files=form_files(b"", b"seven"))
    assert response.status_code == 200
    empty, text = response.json()["predictions"]
    assert empty == {"detail": "Error processing image: the file is empty. Send a PNG or JPEG file."}
    assert text == {"detail": "Invalid file type: application/octet-stream. Only JPEG and PNG are supported."}


@pytest.mark.parametrize(
    ("request_", "detail"),
    [
        ({"files": form_files(PNG, PNG, PNG)}, "Field 'files' occurs 3 times. Send at most 2 images per request."),
        ({"files": [("files", (None, "7"))] * 2}, "Field 'files' is text. Send the image as a file, with a file name."),
        ({"files": {"file": PNG}}, "Field 'files' is missing. Send the image as multipart field 'files'."),
        ({"content": PNG, "headers": {"Content-Type": "image/png"}}, "The body is not multipart/form-data."),
    ],
)
def test_request_that_is_not_a_batch_is_rejected(classifier: Classifier, request_: dict[str, Any], detail: str) -> None:
    """Respond with 400 to more files than MAX_BATCH, to texts alone, to another field or another type."""
    with TestClient(make_app(classifier, max_batch=2)) as client:
        response = client.post("/predict-batch", **request_)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(detail)
    assert response.json().keys() == {"detail"}


def test_batch_of_the_largest_size_is_accepted(classifier: Classifier) -> None:
    """Respond with 200 to exactly MAX_BATCH files."""
    with TestClient(make_app(classifier, max_batch=2)) as client:
        response = client.post("/predict-batch", files=form_files(PNG, PNG))
    assert [result["digit"] for result in response.json()["predictions"]] == [DIGIT, DIGIT]


def test_costly_images_do_not_hold_up_a_batch(client: TestClient) -> None:
    """Decode a few of 63 images that take long, refuse the others, and read the drawing among them."""
    costly = jpeg(20_000, 20_000, scan(range(3), bytes(100)))
    results = client.post("/predict-batch", files=form_files(*[costly] * 63, PNG)).json()["predictions"]
    details = [result["detail"] for result in results[:-1]]
    assert results[-1]["digit"] == DIGIT
    refused = sum("take too long to read. Send it in another request." in detail for detail in details)
    assert 55 < refused < 63


def messenger_photo() -> bytes:
    """Return a photo as messengers send it."""
    return encode(SEVEN.resize((1_600, 1_200)).convert("RGB"), "JPEG", progressive=True)


@pytest.mark.parametrize(
    "file",
    [encode(SEVEN.resize((1_024, 1_024)).convert("RGBA")), messenger_photo()],
    ids=["RGBA drawing of a megapixel", "progressive photo of two megapixels"],
)
def test_large_images_fit_into_a_batch(file: bytes) -> None:
    """Leave room for 64 large images in the time that a batch may take."""
    assert 64 * open_image(file, 50_000_000).decode_seconds < MAX_SECONDS


def test_batch_of_photos_is_read(client: TestClient) -> None:
    """Read the digit of each of 64 progressive photos."""
    results = client.post("/predict-batch", files=form_files(*[messenger_photo()] * 64)).json()["predictions"]
    assert [result.get("digit") for result in results] == [DIGIT] * 64
