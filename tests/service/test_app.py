"""The HTTP contract: every route answers as the two older services did, and says no where it has to."""

import base64
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.classifier import Classifier
from service.lifecycle import Readiness, State
from service.settings import Settings
from tests.conftest import ROOT
from tests.pictures import DIGIT, SEVEN, encode

PNG = encode(SEVEN)
JPEG = encode(SEVEN, "JPEG")
EXAMPLES = sorted((ROOT / "examples").glob("*.[pj][np]g"))


def app_client(classifier: Classifier, **settings: Any) -> TestClient:
    return TestClient(create_app(Settings(**settings), classifier, Readiness()))


@pytest.mark.parametrize(("picture", "declared"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (JPEG, "image/jpg")])
def test_predict_takes_multipart(client: TestClient, picture: bytes, declared: str) -> None:
    """The second older service's only call: field `file`, answer digit and confidence."""
    answer = client.post("/predict", files={"file": ("seven", picture, declared)})
    assert answer.status_code == 200
    assert answer.json().keys() == {"digit", "confidence"}
    assert answer.json()["digit"] == DIGIT
    assert 0.5 < answer.json()["confidence"] <= 1


@pytest.mark.parametrize("headers", [{"Content-Type": "image/png"}, {"Content-Type": "application/octet-stream"}, {}])
def test_predict_takes_the_picture_as_the_body(client: TestClient, headers: dict[str, str]) -> None:
    """With its own type, with the type of any bytes, or with none."""
    answer = client.post("/predict", content=PNG, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["digit"] == DIGIT


def test_predict_image_answers_in_full(client: TestClient) -> None:
    """The first older service's call: ten probabilities beside digit and confidence."""
    answer = client.post("/predict-image", files={"image": ("seven.png", PNG, "image/png")}).json()
    assert answer.keys() == {"digit", "confidence", "probabilities"}
    assert len(answer["probabilities"]) == 10
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert answer["confidence"] == max(answer["probabilities"]) == answer["probabilities"][answer["digit"]]


@pytest.mark.parametrize("declared", [None, "application/octet-stream"])
def test_a_part_without_a_type_is_judged_by_its_bytes(client: TestClient, declared: str | None) -> None:
    """Many clients declare none."""
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="seven"\r\n'
    head += f"Content-Type: {declared}\r\n".encode() if declared else b""
    body = head + b"\r\n" + PNG + b"\r\n--b--\r\n"
    answer = client.post("/predict-image", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.json()["digit"] == DIGIT


@pytest.mark.parametrize("charset", ["utf-8", "undefined", "klingon"])
def test_a_charset_of_the_form_changes_nothing(client: TestClient, charset: str) -> None:
    """Fields are matched as bytes, and a picture has no charset."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="seven"\r\n\r\n'
    headers = {"Content-Type": f"multipart/form-data; charset={charset}; boundary=b"}
    answer = client.post("/predict", content=head + PNG + b"\r\n--b--\r\n", headers=headers)
    assert answer.json()["digit"] == DIGIT


STANDARD = base64.b64encode(PNG).decode()
BASE64 = {
    "bare": STANDARD,
    "data URL": f"data:image/png;base64,{STANDARD}",
    "data URL, upper case": f"DATA:IMAGE/PNG;BASE64,{STANDARD}",
    "data URL without a type": f"data:;base64,{STANDARD}",
    "line breaks": base64.encodebytes(PNG).decode(),
    "carriage returns and spaces": " " + "\r\n".join(STANDARD[i : i + 76] for i in range(0, len(STANDARD), 76)) + "\t",
    "URL-safe": base64.urlsafe_b64encode(PNG).decode(),
    "without padding": STANDARD.rstrip("="),
    "URL-safe without padding": base64.urlsafe_b64encode(PNG).decode().rstrip("="),
}


@pytest.mark.parametrize("form", BASE64)
def test_predict_base64_takes_every_form_of_base64(client: TestClient, form: str) -> None:
    """Whatever the client's library writes."""
    answer = client.post("/predict-base64", json={"image": BASE64[form]})
    assert answer.status_code == 200
    assert answer.json()["digit"] == DIGIT


def test_every_way_in_gives_the_same_answer(client: TestClient) -> None:
    """Multipart, body and base64 carry the same bytes to the same model."""
    short = client.post("/predict", files={"file": ("seven.png", PNG, "image/png")}).json()
    assert client.post("/predict", content=PNG, headers={"Content-Type": "image/png"}).json() == short
    full = client.post("/predict-image", files={"image": ("seven.png", PNG, "image/png")}).json()
    assert client.post("/predict-base64", json={"image": STANDARD}).json() == full
    assert {key: full[key] for key in short} == short


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_read_right(client: TestClient, example: Path) -> None:
    """The label is the first character of the name."""
    with example.open("rb") as file:
        answer = client.post("/predict", files={"file": file})
    assert answer.json()["digit"] == int(example.name[0])


def test_health_is_what_the_older_services_said(client: TestClient, classifier: Classifier) -> None:
    """`ok`, or what HEALTH_STATUS says."""
    assert client.get("/health").json() == {"status": "ok"}
    assert app_client(classifier, health_status="healthy").get("/health").json() == {"status": "healthy"}


def test_ready_is_red_before_start_up_and_while_draining(classifier: Classifier) -> None:
    """Red means 503 for /ready and for pictures; /health stays green."""
    readiness = Readiness()
    client = TestClient(create_app(Settings(), classifier, readiness))
    for state in (State.STARTING, State.DRAINING):
        readiness.state = state
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()) == (503, {"status": state})
        refused = client.post("/predict", content=PNG)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json() == {"detail": f"The service is {state}. Try again in a moment."}
        assert client.get("/health").status_code == 200


def test_ready_is_green_within_the_lifespan(classifier: Classifier) -> None:
    """The app turns it green itself, and red again at its end."""
    readiness = Readiness()
    with TestClient(create_app(Settings(), classifier, readiness)) as client:
        assert client.get("/ready").json() == {"status": "ready"}
    assert readiness.state is State.DRAINING


def test_model_says_what_is_served(client: TestClient, classifier: Classifier) -> None:
    """Name, precision, hashes, accuracy and parity, from the verified contract."""
    about = client.get("/model").json()
    assert about["model"] == "cnn-transformer"
    assert about["precision"] == "int8"
    assert about["sha256"] == about["files"][about["serves"]]
    assert about["accuracy"]["mnist-test"]["images"] == 10_000
    assert about["parity"]["argmax_agreement"]["mnist-test"] >= 0.9995
    assert about == classifier.contract.summary()


def test_cors_is_open_by_default(client: TestClient) -> None:
    """Any page may call, with a preflight or without, and may read an error too."""
    origin = {"Origin": "https://page.example"}
    preflight = client.options(
        "/predict-base64",
        headers={**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    for answer in (client.get("/health", headers=origin), client.post("/predict", headers=origin)):
        assert answer.headers["access-control-allow-origin"] == "*"


def test_cors_can_be_closed(classifier: Classifier) -> None:
    """CORS_ORIGINS lists who may call."""
    client = app_client(classifier, cors_origins=("https://ours.example",))
    allowed = client.get("/health", headers={"Origin": "https://ours.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://ours.example"
    assert (
        "access-control-allow-origin" not in client.get("/health", headers={"Origin": "https://other.example"}).headers
    )
