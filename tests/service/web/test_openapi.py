"""The description of the API states what the code does: routes, statuses, limits and keys."""

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from service import __version__
from service.errors import UnknownModelError
from service.inference.classifier import Classifier
from service.process import rejections
from service.web.api_key import OPEN_PATHS
from service.web.errors import STATUS_CODES
from service.web.readiness import State
from service.web.recorder import CLIENT_GONE, STATUSES
from service.web.request_limits import MAX_HEADER_BYTES, MAX_URL_BYTES
from tests.conftest import make_app

LIMITS = {
    "max_upload_bytes": (1_234_567, "1234567 bytes (MAX_UPLOAD_BYTES)"),
    "max_decoded_bytes": (7_500_000, "7.5 MB of memory (MAX_DECODED_BYTES)"),
    "max_batch": (17, "17 images (MAX_BATCH)"),
    "upload_timeout": (2.5, "2.5 s (UPLOAD_TIMEOUT)"),
    "header_timeout": (3.5, "3.5 s (HEADER_TIMEOUT)"),
    "queue_timeout": (4.5, "4.5 s (QUEUE_TIMEOUT)"),
    "request_timeout": (45.5, "45.5 s (REQUEST_TIMEOUT)"),
    "max_in_flight": (19, "19 small requests are in flight (MAX_IN_FLIGHT)"),
    "cors_origins": (
        ("https://a.example", "https://b.example"),
        "(CORS_ORIGINS): https://a.example, https://b.example.",
    ),
    "health_status": ("healthy", '{"status": "healthy"}'),
}
"""A value of each setting that clients notice, and what the description then says."""

NOT_OF_A_ROUTE = {404, 405, 500, CLIENT_GONE}
"""Of no route: unknown paths and methods, defects, and no response at all."""

Json = dict[str, Any]


def describe(classifier: Classifier, **settings: Any) -> Json:
    with TestClient(make_app(classifier, **settings)) as client:
        return dict(client.get("/openapi.json").json())


@pytest.fixture(scope="module")
def document(client: TestClient) -> Json:
    return dict(client.get("/openapi.json").json())


def operations(document: Json) -> dict[tuple[str, str], Json]:
    """Return the operations of a description by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def statuses(operation: Json) -> set[int]:
    return {int(status) for status in operation["responses"]}


def test_every_route_is_described(client: TestClient, document: Json) -> None:
    """Describe each route of the app with its method, and no other."""
    assert isinstance(client.app, Starlette)
    served = {
        (method, route.path)
        for route in client.app.routes
        if isinstance(route, Route) and route.include_in_schema
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = set(operations(document))
    assert not served - described, "add these routes to a group in service/web/openapi"
    assert not described - served, "the app has no such routes"


def test_version_and_format(document: Json) -> None:
    """State OpenAPI 3.1 and the version of the service."""
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", __version__)


def test_operations_have_unique_names_and_known_tags(document: Json) -> None:
    """Name each operation once, under a tag that is described."""
    described = operations(document).values()
    assert len({operation["operationId"] for operation in described}) == len(described)
    assert {tag for operation in described for tag in operation["tags"]} == {tag["name"] for tag in document["tags"]}


@pytest.mark.parametrize("name", LIMITS)
def test_a_setting_changes_the_description(classifier: Classifier, document: Json, name: str) -> None:
    """State the value in effect, not the default."""
    value, sentence = LIMITS[name]
    changed = describe(classifier, **{name: value})
    assert sentence in json.dumps(changed)
    assert sentence not in json.dumps(document)


def test_a_small_memory_budget_lowers_the_limits(classifier: Classifier) -> None:
    """State the largest body that gets in, and the memory that decoding gets."""
    app = make_app(classifier, memory_budget=16_000_000)
    with TestClient(app) as client:
        text = client.get("/openapi.json").text
        metrics = client.get("/metrics").text
        bodies, decoding = (
            int(float(metrics.partition(f'capacity_bytes{{pool="{pool}",worker="0"}} ')[2].split()[0]))
            for pool in ("large_bodies", "decoding")
        )
        assert f"{min(bodies, 10_000_000)} bytes (MAX_UPLOAD_BYTES)" in text
        assert f"{decoding / 1e6:g} MB of memory (MAX_DECODED_BYTES)" in text


def test_the_page_is_described_only_where_it_is_served(classifier: Classifier, document: Json) -> None:
    """Leave it out with PAGE=off, its tag, too."""
    without = describe(classifier, page="off")
    assert set(document["paths"]) - set(without["paths"]) == {"/"}
    assert len(document["tags"]) - len(without["tags"]) == 1


def test_batch_schemas_state_the_limit(classifier: Classifier) -> None:
    """Bound the files of a batch, and its predictions, by MAX_BATCH."""
    document = describe(classifier, max_batch=3)
    content = document["paths"]["/predict-batch"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["properties"]["files"]["maxItems"] == 3
    assert document["components"]["schemas"]["Batch"]["properties"]["predictions"]["maxItems"] == 3


def test_every_status_is_described(document: Json) -> None:
    """Describe each status that the metrics know, and each that an exception or the server in front gives."""
    posts = {path: operation for (method, path), operation in operations(document).items() if method == "POST"}
    gets = [operation for (method, _), operation in operations(document).items() if method == "GET"]
    without_key = {status for operation in [*posts.values(), *gets] for status in statuses(operation)}
    assert without_key | {401} == set(STATUSES) - (NOT_OF_A_ROUTE - {404})
    in_front = {
        rejection.status for rejection in vars(rejections).values() if isinstance(rejection, rejections.Rejection)
    }
    for path, operation in posts.items():
        of_other_routes = set() if "{name}" in path else {STATUS_CODES[UnknownModelError]}
        assert {*STATUS_CODES.values(), *in_front} - of_other_routes <= statuses(operation)
    for operation in gets:
        assert in_front - {503} <= statuses(operation)


def test_every_state_is_described(document: Json) -> None:
    """List each status of /ready in the schema of its response."""
    schemas = document["components"]["schemas"]
    described = {kind: schemas[kind]["properties"]["status"]["enum"] for kind in ("Ready", "NotReady")}
    assert sorted(described["Ready"] + described["NotReady"]) == sorted(State)


def test_limits_of_the_server_are_described(document: Json) -> None:
    """State the largest URL and headers."""
    responses = document["components"]["responses"]
    assert f"{MAX_URL_BYTES} bytes" in responses["UrlTooLong"]["description"]
    assert f"{MAX_HEADER_BYTES} bytes" in responses["HeadersTooLarge"]["description"]


def test_key_is_described_where_one_is_needed(classifier: Classifier, document: Json) -> None:
    """Describe both headers and status 401 with API_KEY, for all but the open paths; nothing of it without."""
    assert "security" not in document
    assert not [operation for operation in operations(document).values() if "401" in operation["responses"]]
    protected = describe(classifier, api_key=("secret-key",))
    assert [list(scheme) for scheme in protected["security"]] == [["bearer"], ["apiKey"]]
    for (_, path), operation in operations(protected).items():
        assert (path in OPEN_PATHS) == (operation.get("security") == []) == ("401" not in operation["responses"])
    assert "secret-key" not in json.dumps(protected)


def test_what_needs_a_key_is_not_in_the_open_description(classifier: Classifier) -> None:
    """Leave out the response of /model where it needs a key."""
    with TestClient(make_app(classifier, api_key=("key",))) as client:
        served = client.get("/model", headers={"X-API-Key": "key"}).json()
        assert served["sha256"] not in client.get("/openapi.json").text


def test_every_reference_leads_to_a_component(document: Json) -> None:
    """Resolve each reference, and use each component."""
    text = json.dumps(document)
    named = {
        f"#/components/{kind}/{name}" for kind, components in document["components"].items() for name in components
    }
    used = {part.partition('"')[0] for part in text.split('"$ref": "')[1:]}
    assert used == named
