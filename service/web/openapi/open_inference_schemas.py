"""The schemas of the Open Inference Protocol."""

from service.web.openapi.api import Api, Json, schema
from service.web.openapi.responses import ErrorForm
from service.web.openinference_metadata import CLASSES, IMAGE_SHAPE, INPUT, MODEL_VERSION, OUTPUTS

PROTOCOL = ErrorForm("InferenceError", "error", "Inference")

BINARY: Json = {
    "type": "string",
    "format": "binary",
    "description": "JSON, and behind it binary data: FP32 as little-endian numbers in row-major order; BYTES as files,"
    " each behind its length in four bytes, little-endian. In the JSON, a tensor with binary data has the parameter"
    " `binary_data_size` instead of `data`.",
}
NUMBERS: Json = {
    "type": "array",
    "description": "N x 784 finite numbers in row-major order, flat or nested as the shape.",
    "items": {"type": ["number", "array"]},
}
FILES: Json = {
    "type": "array",
    "description": "PNG or JPEG files in base64, bare or as data URLs, nested if the shape is [N, 1].",
    "items": {"type": ["string", "array"], "format": "byte"},
}
TEXT: Json = {"type": "string"}
TRUE: Json = {"type": "boolean", "const": True}
FLAG: Json = {"type": ["boolean", "null"], "default": False}


def inference_schemas(api: Api) -> Json:
    """Return the schemas of requests, responses and errors, by name."""
    name: Json = {"type": "string", "const": api.model["model"]}
    error: Json = {"type": "string", "description": "A sentence that says what to do."}
    return {
        "InferenceError": _closed({"error": error}),
        "InferenceServer": _closed({"name": TEXT, "version": TEXT, "extensions": {"type": "array", "items": TEXT}}),
        "InferenceLive": _closed({"live": TRUE}),
        "InferenceReady": _closed({"ready": TRUE}),
        "InferenceModelReady": _closed({"name": name, "ready": TRUE}),
        "InferenceModel": _model(api, name),
        "InferenceTensor": _tensor(api, "FP32", IMAGE_SHAPE, len(IMAGE_SHAPE), NUMBERS),
        "InferenceFiles": _tensor(api, "BYTES", [1], 0, FILES),
        "InferenceRequest": _request(),
        "InferenceResponse": _response(api, name),
    }


def _model(api: Api, name: Json) -> Json:
    tensor = _closed({"name": TEXT, "datatype": TEXT, "shape": {"type": "array", "items": {"type": "integer"}}})
    tensors: Json = {"type": "array", "items": tensor}
    parameters: Json = {"type": "object", "description": "What standardizes an image, and which file is served."}
    known: Json = {
        "name": name,
        "versions": {"type": "array", "items": {"const": MODEL_VERSION}},
        "platform": TEXT,
        "inputs": tensors,
        "outputs": tensors,
        "parameters": parameters,
    }
    return _closed({key: known[key] for key in api.inference_model})


def _tensor(api: Api, datatype: str, image_shape: list[int], min_sizes: int, data: Json) -> Json:
    """Describe an input. image_shape: the sizes after the number of images, of which `min_sizes` are required."""
    shape: Json = {
        "type": "array",
        "description": f"The number of images, at most {api.settings.max_batch}, and {image_shape}.",
        "items": {"type": "integer", "minimum": 1},
        "minItems": 1 + min_sizes,
        "maxItems": 1 + len(image_shape),
    }
    name: Json = {"type": "string", "const": INPUT}
    properties: Json = {"name": name, "datatype": {"type": "string", "const": datatype}, "shape": shape, "data": data}
    return {"type": "object", "required": list(properties), "properties": properties}


def _request() -> Json:
    output: Json = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "enum": list(OUTPUTS)}, "parameters": _flag("binary_data")},
    }
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"], "description": "Comes back in the response."},
            "parameters": _flag("binary_data_output"),
            "inputs": {
                "type": "array",
                "items": {"anyOf": [schema("InferenceFiles"), schema("InferenceTensor")]},
                "minItems": 1,
                "maxItems": 1,
            },
            "outputs": {
                "type": ["array", "null"],
                "description": f"Each once. By default {OUTPUTS[0]}.",
                "items": output,
                "maxItems": len(OUTPUTS),
            },
        },
    }


def _flag(name: str) -> Json:
    description = "Whether data of the response stands behind its JSON."
    return {"type": ["object", "null"], "properties": {name: {**FLAG, "description": description}}}


def _response(api: Api, name: Json) -> Json:
    shape: Json = {
        "type": "array",
        "description": f"The number of images, and {CLASSES}.",
        "items": {"type": "integer", "minimum": 1, "maximum": max(CLASSES, api.settings.max_batch)},
        "minItems": 2,
        "maxItems": 2,
    }
    output = _closed(
        {
            "name": {"type": "string", "enum": list(OUTPUTS)},
            "datatype": {"type": "string", "const": "FP32"},
            "shape": shape,
            "data": {"type": "array", "description": "One row per image, flat.", "items": {"type": "number"}},
        }
    )
    outputs: Json = {"type": "array", "items": output, "minItems": 1, "maxItems": len(OUTPUTS)}
    version: Json = {"type": "string", "const": MODEL_VERSION}
    given = _closed({"model_name": name, "model_version": version, "outputs": outputs})
    return {**given, "properties": {**given["properties"], "id": TEXT}}


def _closed(properties: Json) -> Json:
    """Describe an object that has exactly these properties."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
