"""Several pictures in one request: one answer for each, in their order, whatever the others are."""

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.classifier import Classifier, Prediction
from service.lifecycle import Readiness
from service.settings import Settings
from tests.conftest import ROOT
from tests.pictures import DIGIT, SEVEN, encode

PNG = encode(SEVEN)
EXAMPLES = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.[pj][np]g"))]


def files(*pictures: bytes, declared: str = "application/octet-stream") -> list[tuple[str, Any]]:
    return [("files", (f"{place}", picture, declared)) for place, picture in enumerate(pictures)]


def test_each_picture_is_answered_as_it_would_be_alone(client: TestClient) -> None:
    """In their order, in full."""
    together = client.post("/predict-batch", files=files(*EXAMPLES)).json()["predictions"]
    assert len(together) == len(EXAMPLES)
    for picture, answer in zip(EXAMPLES, together, strict=True):
        alone = client.post("/predict-image", files={"image": picture}).json()
        assert answer.keys() == alone.keys()
        assert answer["digit"] == alone["digit"]
        assert answer["probabilities"] == pytest.approx(alone["probabilities"], abs=0.02)


def test_a_bad_file_gets_its_error_in_its_place(client: TestClient) -> None:
    """A truncated one, one of a type that is refused, and text: the others are read."""
    sent = [*files(PNG), *files(PNG[:50]), ("files", ("d.gif", PNG, "image/gif")), ("files", (None, "7")), *files(PNG)]
    answer = client.post("/predict-batch", files=sent)
    assert answer.status_code == 200
    first, cut, gif, text, last = answer.json()["predictions"]
    assert first["digit"] == last["digit"] == DIGIT
    assert cut.keys() == gif.keys() == text.keys() == {"detail"}
    assert cut["detail"].startswith("Error processing image: the file is damaged or truncated")
    assert gif["detail"] == "Invalid file type: image/gif. Only JPEG and PNG are supported."
    assert text["detail"] == "Field 'files' is text. Send the picture as a file, with a file name."


def test_bad_files_alone_are_answered_too(client: TestClient) -> None:
    """Nothing is left to read, and that is no error of the request."""
    answer = client.post("/predict-batch", files=files(b"", b"seven"))
    assert answer.status_code == 200
    assert [list(prediction) for prediction in answer.json()["predictions"]] == [["detail"], ["detail"]]


@pytest.mark.parametrize(
    ("request_", "detail"),
    [
        ({"files": files(PNG, PNG, PNG)}, "Field 'files' is there 3 times. Send at most 2 pictures a request."),
        ({"files": {"file": PNG}}, "Field 'files' is missing. Send the picture as multipart field 'files'."),
        ({"content": PNG, "headers": {"Content-Type": "image/png"}}, "The body is not multipart/form-data."),
    ],
)
def test_what_is_no_batch_is_refused(classifier: Classifier, request_: dict[str, Any], detail: str) -> None:
    """Too many, under another name, or no form at all."""
    with TestClient(create_app(Settings(max_batch=2), classifier, Readiness())) as client:
        answer = client.post("/predict-batch", **request_)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(detail)


def test_all_pictures_are_one_run_of_the_model(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what a batch is for."""
    sizes = []
    original = Classifier.classify

    def counted(self: Classifier, batch: np.ndarray[Any, np.dtype[np.float32]]) -> list[Prediction]:
        sizes.append(len(batch))
        return original(self, batch)

    monkeypatch.setattr(Classifier, "classify", counted)
    client.post("/predict-batch", files=files(*EXAMPLES, b"no picture"))
    assert sizes == [len(EXAMPLES)]
