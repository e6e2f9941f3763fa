"""/metrics tells requests, stages, batches, memory and the model."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from service.metrics.exposition import CONTENT_TYPE
from service.web.recorder import ROUTES
from tests.conftest import make_app
from tests.images import SEVEN, encode
from tests.service.web.inference_requests import INFER, document, numbers

PNG = encode(SEVEN)
FILE = ("seven.png", PNG, "image/png")
LARGE = encode(SEVEN.resize((1200, 1200)))


@pytest.fixture
def service(classifier: Classifier) -> Iterator[TestClient]:
    """Run an app of its own, so that counts start at zero."""
    with TestClient(make_app(classifier)) as client:
        yield client


def read(client: TestClient) -> dict[str, float]:
    """Return the samples: name and label values, joined by blanks, to value."""
    text = client.get("/metrics").text
    families = text_string_to_metric_families(text)
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_are_prometheus_text(service: TestClient) -> None:
    """Respond with the media type of the text format, and a help text and a type for each metric."""
    response = service.get("/metrics")
    assert response.headers["content-type"] == CONTENT_TYPE
    families = list(text_string_to_metric_families(response.text))
    assert all(family.documentation and family.type != "unknown" for family in families)


def test_requests_are_counted_by_route_and_status(service: TestClient) -> None:
    """Count each request once, unknown paths as `other`."""
    for content in (PNG, PNG, b"junk"):
        service.post("/predict", content=content)
    service.get("/predict")
    service.get("/no-such-path")
    metrics = read(service)
    counted = {name: value for name, value in metrics.items() if name.startswith("digit_service_requests_total")}
    assert counted == {
        "digit_service_requests_total /predict 200": 2,
        "digit_service_requests_total /predict 400": 1,
        "digit_service_requests_total /predict 405": 1,
        "digit_service_requests_total other 404": 1,
    }
    assert metrics["digit_service_request_seconds_count"] == 5


@pytest.mark.parametrize("content", [PNG, LARGE], ids=["on the event loop", "in a thread"])
def test_stages_of_a_prediction_are_timed(service: TestClient, content: bytes) -> None:
    """Time decoding, preprocessing and inference of one image once."""
    service.post("/predict", content=content)
    metrics = read(service)
    for stage in ("decode", "preprocess", "inference"):
        assert metrics[f"digit_service_stage_seconds_count {stage}"] == 1
        assert 0 < metrics[f"digit_service_stage_seconds_sum {stage}"] < metrics["digit_service_request_seconds_sum"]
    assert metrics["digit_service_batch_size_sum"] == 1


def test_image_in_a_thread_tells_how_long_it_waited(service: TestClient) -> None:
    """Time the wait for a thread and for memory."""
    service.post("/predict", content=LARGE)
    metrics = read(service)
    assert metrics["digit_service_stage_seconds_count queue"] > 0
    assert metrics["digit_service_stage_seconds_count memory"] > 0


def test_batch_is_one_run_of_the_model(service: TestClient) -> None:
    """Count one batch of three images, in each stage three times."""
    service.post("/predict-batch", files=[("files", FILE)] * 3)
    metrics = read(service)
    assert metrics["digit_service_batch_size_count"] == 1
    assert metrics["digit_service_batch_size_sum"] == 3
    assert metrics["digit_service_stage_seconds_count decode"] == 3


def test_state_is_exposed(service: TestClient) -> None:
    """Expose the model, this request in flight, and the memory that requests may hold."""
    metrics = read(service)
    model = service.get("/model").json()
    info = next(name for name in metrics if name.startswith("digit_service_model_info"))
    assert {model["model"], model["precision"], model["sha256"], model["version"]} == set(info.split()[1:])
    assert metrics["digit_service_memory_used_bytes decoding 0"] == 0
    assert metrics["digit_service_memory_capacity_bytes decoding 0"] > 0
    assert metrics["digit_service_memory_waiting_requests large_bodies 0"] == 0


def test_routes_with_names_are_counted_by_their_pattern(service: TestClient) -> None:
    """Count every model and version under its route, so that clients cannot create new label values."""
    for path in ("/v2/models/cnn-transformer", "/v2/models/x", "/v2/models/x/versions/9/ready", "/v2/models/x/y/z"):
        service.get(path)
    counted = {name.partition(" ")[2] for name in read(service) if name.startswith("digit_service_requests_total")}
    assert counted == {
        "/v2/models/{name} 200",
        "/v2/models/{name} 404",
        "/v2/models/{name}/versions/{version}/ready 404",
        "other 404",
    }


def test_tensors_are_one_run_of_the_model(service: TestClient) -> None:
    """Count a tensor of three images as one batch, three times in the stage `inference`."""
    assert service.post(INFER, json=document(numbers())).status_code == 200
    metrics = read(service)
    assert metrics["digit_service_batch_size_sum"] == 3
    assert metrics["digit_service_stage_seconds_count inference"] == 3


def test_every_route_has_metrics_of_its_own(service: TestClient) -> None:
    """Name the path of each route of the app."""
    assert {route.path for route in service.app.routes} == set(ROUTES)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("max_upload_bytes", "refused"), [(1_000_000, 1), (999_999, 0)])
def test_upload_that_the_memory_can_never_hold_is_counted(
    classifier: Classifier, max_upload_bytes: int, refused: int
) -> None:
    """Count an upload for which there is too little memory, but none that MAX_UPLOAD_BYTES forbids."""
    app = make_app(classifier, max_upload_bytes=max_upload_bytes, memory_budget=1_000_000)
    with TestClient(app) as client:
        assert client.post("/predict", content=bytes(1_000_000)).status_code == 413
        assert read(client)["digit_service_memory_refused_total 0"] == refused
