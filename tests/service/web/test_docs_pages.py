"""/openapi.json is cached by its ETag; /docs and /redoc need no other host, and are 404 without offapi."""

import base64
import hashlib
import importlib.util
import re
import sys

import pytest
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from tests.conftest import make_app

PATHS = ["/openapi.json", "/docs", "/redoc"]
needs_offapi = pytest.mark.skipif(importlib.util.find_spec("offapi") is None, reason="offapi is not installed")


@needs_offapi
@pytest.mark.parametrize("path", PATHS)
def test_a_known_response_is_not_sent_again(client: TestClient, path: str) -> None:
    """Respond with 304 and no body if the client knows the ETag, and let it keep its copy."""
    first = client.get(path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        for header in ("content-security-policy", "cache-control"):  # they replace those of the client's copy
            assert again.headers.get_list(header) == first.headers.get_list(header)
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


@needs_offapi
@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_headers_of_get(client: TestClient, path: str) -> None:
    """Respond to HEAD with the length and the ETag."""
    head, get = client.head(path), client.get(path)
    assert head.status_code == 200
    assert {name: head.headers[name] for name in ("etag", "content-length")} == {
        "etag": get.headers["etag"],
        "content-length": str(len(get.content)),
    }


def test_another_description_has_another_etag(client: TestClient, classifier: Classifier) -> None:
    """Change the ETag with the settings."""
    with TestClient(make_app(classifier, max_batch=3)) as changed:
        assert changed.get("/openapi.json").headers["etag"] != client.get("/openapi.json").headers["etag"]


@needs_offapi
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_page_allows_only_its_own_scripts(client: TestClient, path: str) -> None:
    """Send one policy, which names the hash of each script in the page and no other host."""
    page = client.get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    (policy,) = page.headers.get_list("content-security-policy")
    scripts = re.findall(rb"<script[^>]*>(.*?)</script>", page.content, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts}
    directives = dict(directive.split(maxsplit=1) for directive in policy.split("; "))
    assert set(directives["script-src"].split()) == hashes
    assert directives["default-src"] == "'none'"
    assert "http" not in policy
    assert b"openapi.json" in page.content


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_page_that_is_not_installed_is_404(classifier: Classifier, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say what to install, and where the description is."""
    monkeypatch.setitem(sys.modules, "offapi", None)  # an import of it fails
    with TestClient(make_app(classifier)) as client:
        response = client.get(path)
    assert response.status_code == 404
    assert "offapi" in response.json()["detail"]
    assert "/openapi.json" in response.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_no_key_is_needed(classifier: Classifier, path: str) -> None:
    """Respond without a key: a browser sends none when it opens a page."""
    with TestClient(make_app(classifier, api_key=("key",))) as client:
        assert client.get(path).status_code != 401
