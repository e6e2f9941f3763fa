"""The inputs of the OpenAPI description, and the part of it that a group of routes adds."""

from dataclasses import dataclass, field
from typing import Any

from service.settings import Settings

Json = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """The running service.

    settings: with the limits in effect, which a small memory budget lowers. model: the response of GET /model.
    inference_model: the response of GET /v2/models/{name}. answers: what the served model responds to the example
    images, by path and query.
    """

    settings: Settings
    model: Json
    inference_model: Json
    answers: dict[str, Json]

    @property
    def needs_key(self) -> bool:
        """Return whether requests need an API key."""
        return bool(self.settings.api_key)


@dataclass(frozen=True)
class Group:
    """Routes that belong together.

    paths, schemas, responses: entries of `paths`, of `components.schemas` and of `components.responses`.
    """

    name: str
    description: str
    paths: Json
    schemas: Json
    responses: Json = field(default_factory=dict)


def schema(name: str) -> Json:
    """Refer to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_content(name: str, examples: Json | None = None) -> Json:
    """Describe a JSON body by the name of its schema. examples: values by name."""
    values = {key: {"value": value} for key, value in (examples or {}).items()}
    return {"application/json": {"schema": schema(name), **({"examples": values} if values else {})}}
