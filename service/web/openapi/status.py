"""The routes that tell about the service."""

from service.metrics.exposition import CONTENT_TYPE
from service.web.error_response import RETRY_AFTER_SECONDS
from service.web.openapi.api import Api, Group, Json, json_content, schema
from service.web.openapi.responses import DETAIL, REQUEST_ID, RETRY_AFTER, ErrorForm, errors, success
from service.web.readiness import State

TAG = "Status"


def status(api: Api) -> Group:
    """Describe the routes that tell about the service."""
    paths = {"/health": _health(api), "/ready": _ready(api), "/model": _model(api), "/metrics": _metrics(api)}
    return Group(TAG, "Probes, the served model and metrics.", paths, _schemas(api))


def get(
    api: Api,
    operation: str,
    tag: str,
    summary: str,
    responses: Json,
    needs_key: bool = True,
    form: ErrorForm = DETAIL,
) -> Json:
    """Describe a route without a body. needs_key: whether it needs a key where the service has one."""
    statuses = ("401",) if needs_key else ()
    shared = {"400": form.refer("400"), **errors(api, *statuses, form=form)}
    described: Json = {
        "operationId": operation,
        "tags": [tag],
        "summary": summary,
        "responses": dict(sorted({**shared, **responses}.items())),
    }
    return {"get": described if needs_key else {**described, "security": []}}


def _health(api: Api) -> Json:
    answer = {"alive": {"status": api.settings.health_status}}
    responses = success("The process lives, however busy.", json_content("Health", answer))
    return get(api, "health", TAG, "Liveness.", responses, needs_key=False)


def _ready(api: Api) -> Json:
    waiting: Json = {
        "description": f"The service starts or stops. Ask again after {RETRY_AFTER_SECONDS} s.",
        "headers": {**REQUEST_ID, **RETRY_AFTER},
        "content": json_content("NotReady", {"draining": {"status": State.DRAINING}}),
    }
    ready = success("The service accepts images.", json_content("Ready", {"ready": {"status": State.READY}}))
    return get(api, "ready", TAG, "Readiness.", {**ready, "503": waiting}, needs_key=False)


def _model(api: Api) -> Json:
    examples = {} if api.needs_key else {"served": api.model}  # the description itself needs no key
    return get(api, "model", TAG, "The served model.", success("The model.", json_content("Model", examples)))


def _metrics(api: Api) -> Json:
    content: Json = {CONTENT_TYPE: {"schema": {"type": "string"}}}
    responses = success("The metrics of all workers in Prometheus's text format.", content)
    return get(api, "metrics", TAG, "Metrics.", responses)


def _schemas(api: Api) -> Json:
    return {
        "Health": _status([api.settings.health_status]),
        "Ready": _status([State.READY]),
        "NotReady": _status([state for state in State if state is not State.READY]),
        "Hash": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256."},
        "Tensor": {
            "type": "object",
            "required": ["name", "dtype", "shape"],
            "properties": {
                "name": {"type": "string"},
                "dtype": {"type": "string"},
                "shape": {"type": "array", "items": {"type": ["integer", "string"]}},
            },
        },
        "Model": {
            "type": "object",
            "required": list(api.model),
            "properties": {name: _model_property(name) for name in api.model},
        },
    }


def _model_property(name: str) -> Json:
    known: dict[str, Json] = {
        "version": {"type": "string", "description": "The version of the service."},
        "model": {"type": "string", "description": "The model's folder (MODEL)."},
        "opset": {"type": "integer", "description": "ONNX opset."},
        "versions": {
            "type": "object",
            "description": "The libraries that exported the model.",
            "additionalProperties": {"type": "string"},
        },
        "input": schema("Tensor"),
        "output": schema("Tensor"),
        "labels": {"type": "array", "items": {"type": "integer"}},
        "serves": {"type": "string", "description": "The file that is served."},
        "sha256": schema("Hash"),
        "precision": {"enum": ["fp32", "int8"]},
        "accuracy": {"type": "object", "description": "Correct predictions and images, by source."},
        "parity": {"type": "object", "description": "What the served file was compared with, and how far it agrees."},
        "files": {"type": "object", "description": "The hash of each file.", "additionalProperties": schema("Hash")},
    }
    return known.get(name, {})


def _status(values: list[str]) -> Json:
    return {
        "type": "object",
        "required": ["status"],
        "additionalProperties": False,
        "properties": {"status": {"type": "string", "enum": [str(value) for value in values]}},
    }
