"""A path with slashes at its end is served as the same path without them."""

from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from tests.conftest import make_app
from tests.images import SEVEN, encode


def test_slash_at_the_end_of_a_path_changes_nothing(client: TestClient) -> None:
    """Serve the path without it. A redirect would name this service's scheme and host, not those of a proxy."""
    for path in ("/health", "/model", "/v2"):
        slashed = client.get(f"{path}/", follow_redirects=False)
        assert (slashed.status_code, slashed.content) == (200, client.get(path).content)
    file = {"file": ("digit.png", encode(SEVEN), "image/png")}
    answers = [client.post(path, files=file, follow_redirects=False) for path in ("/predict", "/predict/")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert client.get("/predict//", follow_redirects=False).status_code == 405
    assert client.get("/unknown/", follow_redirects=False).status_code == 404


def test_slash_at_the_end_of_a_path_needs_a_key(classifier: Classifier) -> None:
    """Check the key of the path that is served."""
    client = TestClient(make_app(classifier, api_key=("secret-key-of-16",)))
    assert [client.get(f"{path}/").status_code for path in ("/health", "/model")] == [200, 401]
