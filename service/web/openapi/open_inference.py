"""The routes of the Open Inference Protocol."""

from service.web.json_image import MAX_DOCUMENT_BYTES
from service.web.openapi.api import Api, Group, Json, json_content
from service.web.openapi.examples import SIX_BASE64
from service.web.openapi.open_inference_schemas import BINARY, PROTOCOL, inference_schemas
from service.web.openapi.responses import RETRY_AFTER, error, errors, invalid, shared_responses, success
from service.web.openapi.status import get
from service.web.openinference_metadata import INPUT, MODEL_VERSION, PROBABILITIES, SERVER
from service.web.openinference_request import HEADER

TAG = "Open Inference Protocol"
VERSION: Json = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "The only version.",
    "schema": {"type": "string", "enum": [MODEL_VERSION]},
}
JSON_BYTES: Json = {
    "name": HEADER,
    "in": "header",
    "description": "The bytes of JSON before binary data. 0: the body is one FP32 tensor without JSON."
    " Empty or missing: all of the body is JSON.",
    "schema": {"type": "string", "pattern": "^[0-9]{0,12}$"},
}
RESPONSE_JSON_BYTES: Json = {
    HEADER: {"description": "The bytes of JSON before the binary data.", "schema": {"type": "integer", "minimum": 1}}
}
NOT_BASE64 = f"Field '{INPUT}' is not valid base64. Send the image's bytes in base64, or as a data URL."
NOT_NUMBERS = (
    f"The data of input '{INPUT}' is not 784 numbers, in one array or nested as its shape [1, 1, 28, 28]."
    " Send them in row-major order."
)


def open_inference(api: Api) -> Group:
    """Describe the routes of the protocol. Those of a model are the same with and without its version."""
    description = (
        "For clients and routers of KServe and Triton: V2 over HTTP, with Triton's extension for binary data. Errors"
        ' are `{"error": "a sentence"}`.'
    )
    paths = {"/v2": _server(api), "/v2/health/live": _live(api), "/v2/health/ready": _ready(api)}
    for path, suffix, parameters in (
        ("/v2/models/{name}", "", [_name(api)]),
        ("/v2/models/{name}/versions/{version}", "OfVersion", [_name(api), VERSION]),
    ):
        paths[path] = _model(api, suffix, parameters)
        paths[f"{path}/ready"] = _model_ready(api, suffix, parameters)
        paths[f"{path}/infer"] = _infer(api, suffix, parameters)
    responses = {**shared_responses(api, PROTOCOL), "InferenceUnknownModel": _unknown_model(api)}
    return Group(TAG, description, paths, inference_schemas(api), responses)


def _name(api: Api) -> Json:
    return {
        "name": "name",
        "in": "path",
        "required": True,
        "description": "The served model (MODEL).",
        "schema": {"type": "string", "enum": [api.model["model"]]},
    }


def _unknown_model(api: Api) -> Json:
    sentence = f"Unknown model or version. This service has model '{api.model['model']}', version '{MODEL_VERSION}'."
    return error(PROTOCOL, "The service has no such model or version.", unknownModel=sentence)


def _server(api: Api) -> Json:
    responses = success("The server.", json_content("InferenceServer", {"server": SERVER}))
    return get(api, "inferenceServer", TAG, "The server and its extensions.", responses, form=PROTOCOL)


def _live(api: Api) -> Json:
    responses = success("The process lives, however busy.", json_content("InferenceLive", {"live": {"live": True}}))
    return get(api, "inferenceLive", TAG, "Liveness.", responses, needs_key=False, form=PROTOCOL)


def _ready(api: Api) -> Json:
    ready = success("The service accepts requests.", json_content("InferenceReady", {"ready": {"ready": True}}))
    responses = {**ready, "503": _not_ready()}
    return get(api, "inferenceReady", TAG, "Readiness.", responses, needs_key=False, form=PROTOCOL)


def _not_ready() -> Json:
    draining = "The service is draining. Try again in a moment."
    return error(PROTOCOL, "The service starts or stops.", RETRY_AFTER, draining=draining)


def _model(api: Api, suffix: str, parameters: list[Json]) -> Json:
    examples = {} if api.needs_key else {"served": api.inference_model}  # the description itself needs no key
    responses = success("The model.", json_content("InferenceModel", examples))
    return _of_model(api, f"inferenceModel{suffix}", "The model and its tensors.", responses, parameters)


def _model_ready(api: Api, suffix: str, parameters: list[Json]) -> Json:
    example = {"ready": {"name": api.model["model"], "ready": True}}
    ready = success("The model accepts requests.", json_content("InferenceModelReady", example))
    responses = {**ready, "503": _not_ready()}
    return _of_model(api, f"inferenceModelReady{suffix}", "Readiness of the model.", responses, parameters)


def _of_model(api: Api, operation: str, summary: str, responses: Json, parameters: list[Json]) -> Json:
    unknown = {"404": PROTOCOL.refer("404")}
    described = get(api, operation, TAG, summary, {**responses, **unknown}, form=PROTOCOL)
    return {"get": {**described["get"], "parameters": parameters}}


def _infer(api: Api, suffix: str, parameters: list[Json]) -> Json:
    answer = api.answers["/v2/models/{name}/infer"]
    binary: Json = {"application/octet-stream": {"schema": BINARY}}
    content = {**json_content("InferenceRequest", {"six": _file_request()}), **binary}
    answered = {**json_content("InferenceResponse", {"six": answer}), **binary}
    return {
        "post": {
            "operationId": f"infer{suffix}",
            "tags": [TAG],
            "summary": "Run the model on tensors or image files.",
            "description": "The request's Content-Type does not matter. Send at most"
            f" {api.settings.max_batch} images (MAX_BATCH). The JSON may have {MAX_DOCUMENT_BYTES} bytes beside the"
            " data of its input. One invalid image gives 400 for the whole request.",
            "parameters": [*parameters, JSON_BYTES],
            "requestBody": {"required": True, "content": content},
            "responses": {
                **success("The outputs, one row per image.", answered, RESPONSE_JSON_BYTES),
                **invalid(_invalid_requests(api), PROTOCOL),
                **errors(api, "401", "404", "413", "503", form=PROTOCOL),
            },
        }
    }


def _file_request() -> Json:
    image = {"name": INPUT, "datatype": "BYTES", "shape": [1], "data": [SIX_BASE64]}
    return {"inputs": [image], "outputs": [{"name": PROBABILITIES}]}


def _invalid_requests(api: Api) -> dict[str, str]:
    limit = api.settings.max_batch
    return {
        "notJson": "The body is not valid JSON. Send a request of the Open Inference Protocol.",
        "noInput": f"The request has 0 inputs. Send one: '{INPUT}'.",
        "wrongDatatype": f"Input '{INPUT}' has datatype \"UINT8\". Send FP32 (standardized images) or BYTES (PNG or"
        " JPEG).",
        "wrongShape": f"Input '{INPUT}' has shape [28, 28]. Send [N, 1, 28, 28] for FP32 or [N] for BYTES, N from 1.",
        "tooMany": f"Input '{INPUT}' has {limit + 1} images. Send at most {limit} per request.",
        "notNumbers": NOT_NUMBERS,
        "notBase64": NOT_BASE64,
        "notAnImage": "Invalid file type: unknown. Only JPEG and PNG are supported.",
        "unknownOutput": "Unknown output \"digit\". The model has 'logits' and 'probabilities'.",
    }
