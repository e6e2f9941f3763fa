"""The description is valid OpenAPI 3.1, and its examples match their schemas."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from service.inference.classifier import Classifier
from tests.conftest import make_app

Json = dict[str, Any]


@pytest.fixture(scope="module", params=[{}, {"api_key": ("key",), "max_batch": 1}], ids=["defaults", "keys"])
def document(request: pytest.FixtureRequest, classifier: Classifier) -> Json:
    with TestClient(make_app(classifier, **request.param)) as client:
        return dict(client.get("/openapi.json").json())


def test_the_description_is_valid(document: Json) -> None:
    """Satisfy openapi-spec-validator."""
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def contents(node: Any) -> Iterator[Json]:
    """Yield each body of a request or response that has examples."""
    if isinstance(node, dict):
        if "schema" in node and "examples" in node:
            yield node
        for child in node.values():
            yield from contents(child)


def test_examples_match_their_schemas(document: Json) -> None:
    """Validate each example against the schema beside it."""
    found = list(contents(document))
    assert found
    for content in found:
        schema = {**content["schema"], "components": document["components"]}
        for example in content["examples"].values():
            OAS31Validator(schema).validate(example["value"])
