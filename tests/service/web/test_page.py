"""GET / is a page that runs only its own files, from memory. PAGE=off leaves it out."""

import re

import pytest
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from service.web.page import MEDIA_TYPES, STATIC
from service.web.readiness import Readiness, State
from tests.conftest import make_app

FILES = sorted(path.name for path in STATIC.iterdir() if path.name != "index.html")
PATHS = ["/", *(f"/static/{name}" for name in FILES)]
MAX_BYTES = 40_000


@pytest.mark.parametrize("path", PATHS)
def test_file_is_served_as_it_is(client: TestClient, path: str) -> None:
    """Respond with the bytes and the type of each file."""
    file = STATIC / ("index.html" if path == "/" else path.rpartition("/")[2])
    response = client.get(path)
    assert (response.status_code, response.content) == (200, file.read_bytes())
    assert response.headers["content-type"] == MEDIA_TYPES[file.suffix]
    head = client.head(path)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(response.content)))


def test_page_is_small() -> None:
    """Need less than 40 KB for all files together."""
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < MAX_BYTES


def test_page_loads_only_its_own_files(client: TestClient) -> None:
    """Refer to files below /static/ by relative addresses, so that the page works below any prefix of a proxy."""
    loaded = re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text)
    imported = re.findall(r'from "\./([^"]+)"', "".join(client.get(path).text for path in PATHS if path.endswith("js")))
    assert {*loaded, *(f"static/{name}" for name in imported)} == {*(f"static/{name}" for name in FILES), "docs"}


@pytest.mark.parametrize("path", PATHS)
def test_policy_allows_nothing_but_the_service(client: TestClient, path: str) -> None:
    """Forbid inline scripts and styles, other hosts, frames and forms. Each header is sent once."""
    headers = client.get(path).headers
    (policy,) = headers.get_list("content-security-policy")
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives.pop("default-src") == "'none'"
    assert {source for sources in directives.values() for source in sources.split()} == {
        "'self'", "data:", "'none'", "'script'"
    }  # fmt: skip
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert headers["x-request-id"]


@pytest.mark.parametrize("path", PATHS)
def test_known_file_is_not_sent_again(client: TestClient, path: str) -> None:
    """Let a browser keep a file, and respond with 304 if it still has the current one."""
    first = client.get(path)
    assert first.headers.get_list("cache-control") == ["no-cache"]
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("name", ["index.html", "page.py", "", "..%2fpage.py", "%2e%2e%2f%2e%2e%2fsettings.py"])
def test_other_files_are_unknown(client: TestClient, name: str) -> None:
    """Respond with 404 to every other name, and with the policy of a response that is no page."""
    response = client.get(f"/static/{name}")
    assert (response.status_code, response.json().keys()) == (404, {"detail"})
    assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", PATHS)
def test_page_can_be_left_out(classifier: Classifier, path: str) -> None:
    """Respond with 404 to the page and its files if PAGE=off, and predict as before."""
    response = TestClient(make_app(classifier, page="off")).get(path)
    assert (response.status_code, response.json().keys()) == (404, {"detail"})


@pytest.mark.parametrize("path", PATHS)
def test_page_needs_no_key(classifier: Classifier, path: str) -> None:
    """Respond without a key, so that the page can ask for it. What the page asks the service needs it."""
    client = TestClient(make_app(classifier, api_key=("secret",)))
    assert client.get(path).status_code == 200
    assert client.post("/predict-number").status_code == 401


@pytest.mark.parametrize("state", [State.STARTING, State.DRAINING])
def test_page_opens_while_the_service_is_not_ready(classifier: Classifier, state: State) -> None:
    """Respond while the service starts or drains. The page itself says so."""
    readiness = Readiness()
    readiness.state = state
    assert TestClient(make_app(classifier, readiness)).get("/").status_code == 200


def test_files_share_their_metrics(classifier: Classifier) -> None:
    """Count the files of the page as one route, and a response without content with its status."""
    with TestClient(make_app(classifier)) as client:
        for name in FILES:
            client.get(f"/static/{name}")
        client.get("/", headers={"If-None-Match": "*"})
        metrics = client.get("/metrics").text
    assert f'digit_service_requests_total{{route="/static/{{name}}",status="200"}} {len(FILES)}' in metrics
    assert 'digit_service_requests_total{route="/",status="304"} 1' in metrics
