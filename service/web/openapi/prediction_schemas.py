"""The schemas of predictions and of the bodies that ask for them."""

from service.inference.number import MAX_DIGITS
from service.web.openapi.api import Api, Json, schema

CONFIDENCE: Json = {
    "type": "number",
    "minimum": 0,
    "maximum": 1,
    "description": "Calibrated probability, rounded to 4 decimals: of the predictions with 0.9, about 90% are right.",
}
DIGIT: Json = {"type": "integer", "minimum": 0, "maximum": 9}
BOX: Json = {
    "type": "array",
    "description": "Left, top, width and height of the digit in pixels of the upright image.",
    "items": {"type": "integer", "minimum": 0},
    "minItems": 4,
    "maxItems": 4,
}
PROBABILITIES: Json = {
    "type": "array",
    "description": "The probability of each digit from 0 to 9.",
    "items": {"type": "number", "minimum": 0, "maximum": 1},
    "minItems": 10,
    "maxItems": 10,
}
INPUT: Json = {
    "type": "string",
    "description": "The 28 x 28 image that the network saw, white = ink, as a PNG data URL.",
    "pattern": "^data:image/png;base64,[A-Za-z0-9+/]+={0,2}$",
}
FILE: Json = {"type": "string", "format": "binary", "description": "A PNG or JPEG file."}


def prediction_schemas(api: Api) -> Json:
    """Return the schemas of all predictions, by name."""
    settings = api.settings
    full: Json = {"digit": DIGIT, "confidence": CONFIDENCE, "probabilities": PROBABILITIES}
    place: Json = {"digit": DIGIT, "confidence": CONFIDENCE, "box": BOX}
    explanation: Json = {"probabilities": PROBABILITIES, "input": INPUT}
    digit = _object({**place, **explanation}, required=list(place))
    return {
        "Digit": _object({"digit": DIGIT, "confidence": CONFIDENCE}),
        "Prediction": _object(full),
        "ExplainedPrediction": _object({**full, "input": INPUT, "box": BOX}, required=list(full)),
        "Number": _object(
            {
                "number": {"type": "string", "pattern": f"^[0-9]{{1,{MAX_DIGITS}}}$"},
                "confidence": {**CONFIDENCE, "description": "The product of the confidences of the digits."},
                "digits": {"type": "array", "items": digit, "minItems": 1, "maxItems": MAX_DIGITS},
            }
        ),
        "Batch": _object(
            {
                "predictions": {
                    "type": "array",
                    "description": "One entry per file, in order: a prediction, or the error of an invalid file.",
                    "items": {"anyOf": [schema("Prediction"), schema("Error")]},
                    "minItems": 1,
                    "maxItems": settings.max_batch,
                }
            }
        ),
    }


def form(field: str) -> Json:
    """Describe a form with one file."""
    content: Json = {"type": "object", "required": [field], "properties": {field: FILE}}
    return {"multipart/form-data": {"schema": content, "encoding": {field: {"contentType": "image/png, image/jpeg"}}}}


def repeated_form(field: str, max_count: int) -> Json:
    """Describe a form with one file or several in the same field."""
    files: Json = {"type": "array", "items": FILE, "minItems": 1, "maxItems": max_count}
    content: Json = {"type": "object", "required": [field], "properties": {field: files}}
    return {"multipart/form-data": {"schema": content, "encoding": {field: {"contentType": "image/png, image/jpeg"}}}}


def form_or_image(field: str) -> Json:
    """Describe a form with one file, or the file as the body."""
    image: Json = {"schema": FILE}
    return {**form(field), "image/png": image, "image/jpeg": image}


def _object(properties: Json, required: list[str] | None = None) -> Json:
    """Describe an object that has these properties and no others."""
    return {
        "type": "object",
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
        "properties": properties,
    }
