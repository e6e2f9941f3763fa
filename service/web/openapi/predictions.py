"""The routes that read digits."""

from service.imaging.cost import MAX_SIDE
from service.inference.number import MAX_DIGITS
from service.web.json_image import MAX_DOCUMENT_BYTES
from service.web.openapi.api import Api, Group, Json, json_content
from service.web.openapi.examples import SIX_BASE64
from service.web.openapi.prediction_schemas import form, form_or_image, prediction_schemas, repeated_form
from service.web.openapi.responses import errors, invalid, success

TAG = "Predictions"
WRONG_TYPE = "Invalid file type: image/gif. Only JPEG and PNG are supported."
WRONG_EXPLAIN = "Query parameter 'explain' is 'yes'. Send true or false."
NOT_AN_IMAGE = "Error processing image: the bytes are neither a PNG nor a JPEG file."
BLANK = "Error processing image: no digit found. Send an image of one digit that stands out from its background."
EXPLAIN: Json = {
    "name": "explain",
    "in": "query",
    "description": "Whether to add what the network saw and where.",
    "schema": {"type": "boolean", "default": False},
    "allowEmptyValue": True,
}


def predictions(api: Api) -> Group:
    """Describe the routes that read digits."""
    megabytes = api.settings.max_decoded_bytes / 1e6
    description = (
        f"Images are PNG or JPEG files. Decoding one may take {megabytes:g} MB of memory (MAX_DECODED_BYTES), about"
        f" {megabytes / 4:g} megapixels of RGB PNG, and no side may have more than {MAX_SIDE} pixels. A file's or"
        " a body's declared type must be image/png or image/jpeg; a missing type or application/octet-stream is judged"
        f" by the bytes. A body may have {api.settings.max_upload_bytes} bytes (MAX_UPLOAD_BYTES)."
    )
    paths = {
        "/predict": _predict(api),
        "/predict-image": _predict_image(api),
        "/predict-number": _predict_number(api),
        "/predict-base64": _predict_base64(api),
        "/predict-batch": _predict_batch(api),
    }
    return Group(TAG, description, paths, prediction_schemas(api))


def _predict(api: Api) -> Json:
    return _post(
        api,
        operation="predict",
        summary="Read one digit.",
        description="Send the image as multipart field `file`, or as the body with its Content-Type. Of several digits"
        " side by side, the one with the most ink is read, with a lower confidence.",
        content=form_or_image("file"),
        responses={
            **success("The digit.", json_content("Digit", {"six": api.answers["/predict"]})),
            **invalid({**_invalid_file("file"), "wrongType": WRONG_TYPE}),
        },
    )


def _predict_image(api: Api) -> Json:
    answers = {"six": api.answers["/predict-image"], "sixExplained": api.answers["/predict-image?explain=true"]}
    return _post(
        api,
        operation="predictImage",
        summary="Read one digit, with all probabilities.",
        description="Send the image as multipart field `image`. With `explain=true` the response has `input` and"
        " `box`, too.",
        content=form("image"),
        responses={
            **success("The digit.", json_content("ExplainedPrediction", answers)),
            **invalid({**_invalid_file("image"), "wrongExplain": WRONG_EXPLAIN}),
        },
        parameters=[EXPLAIN],
    )


def _predict_number(api: Api) -> Json:
    answers = {
        "fortyTwo": api.answers["/predict-number"],
        "fortyTwoExplained": api.answers["/predict-number?explain=true"],
    }
    return _post(
        api,
        operation="predictNumber",
        summary="Read all digits of a line.",
        description=f"Send the image as for `/predict`. Up to {MAX_DIGITS} digits are read from left to right. With"
        " `explain=true` each digit has `probabilities` and `input`, too.",
        content=form_or_image("file"),
        responses={
            **success("The number.", json_content("Number", answers)),
            **invalid({**_invalid_file("file"), "wrongExplain": WRONG_EXPLAIN}),
        },
        parameters=[EXPLAIN],
    )


def _predict_base64(api: Api) -> Json:
    text: Json = {
        "type": "string",
        "format": "byte",
        "description": "A PNG or JPEG file in base64, standard or URL-safe, bare or as a data URL.",
    }
    content: Json = {
        "schema": {"type": "object", "required": ["image"], "properties": {"image": text}},
        "examples": {
            "six": {"value": {"image": SIX_BASE64}},
            "sixAsDataUrl": {"value": {"image": f"data:image/png;base64,{SIX_BASE64}"}},
        },
    }
    answer = api.answers["/predict-base64"]
    details = {
        "missingKey": 'Field \'image\' is missing. Send {"image": "<base64>"}.',
        "notJson": 'The body is not valid JSON. Send {"image": "<base64>"}.',
        "notBase64": "Field 'image' is not valid base64. Send the image's bytes in base64, or as a data URL.",
        "notAnImage": "Invalid file type: unknown. Only JPEG and PNG are supported.",
    }
    return _post(
        api,
        operation="predictBase64",
        summary="Read one digit from base64.",
        description=f"The JSON document without the image may have {MAX_DOCUMENT_BYTES} bytes. The request's"
        " Content-Type does not matter.",
        content={"application/json": content},
        responses={
            **success("The digit.", json_content("Prediction", {"six": answer, "sixAsDataUrl": answer})),
            **invalid(details),
        },
    )


def _predict_batch(api: Api) -> Json:
    limit = api.settings.max_batch
    too_many = f"Field 'files' occurs {limit + 1} times. Send at most {limit} images per request."
    return _post(
        api,
        operation="predictBatch",
        summary="Read one digit from each of several images.",
        description=f"Send up to {limit} images (MAX_BATCH) in multipart field `files`, repeated. The status is 200"
        " even if files are invalid: each of them gives its error at its place.",
        content=repeated_form("files", limit),
        responses={
            **success("The predictions.", json_content("Batch", {"sixAndInvalid": api.answers["/predict-batch"]})),
            **invalid({"missingField": _missing_field("files"), "text": _text("files"), "tooMany": too_many}),
        },
    )


def _invalid_file(field: str) -> dict[str, str]:
    return {
        "missingField": _missing_field(field),
        "text": _text(field),
        "notAnImage": NOT_AN_IMAGE,
        "blank": BLANK,
    }


def _text(field: str) -> str:
    return f"Field '{field}' is text. Send the image as a file, with a file name."


def _missing_field(field: str) -> str:
    return f"Field '{field}' is missing. Send the image as multipart field '{field}'."


def _post(
    api: Api,
    operation: str,
    summary: str,
    description: str,
    content: Json,
    responses: Json,
    parameters: list[Json] | None = None,
) -> Json:
    described: Json = {
        "operationId": operation,
        "tags": [TAG],
        "summary": summary,
        "description": description,
        "requestBody": {"required": True, "content": content},
        "responses": {**responses, **errors(api, "401", "413", "503")},
    }
    return {"post": {**described, "parameters": parameters} if parameters else described}
