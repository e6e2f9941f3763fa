"""Get a base64 image out of a JSON document."""

import base64
import binascii
import json

from service.errors import RequestError
from service.web.content_type import ContentType

URL_SAFE_TO_STANDARD = str.maketrans("-_", "+/")


def decode(body: bytes, field: str) -> bytes:
    """Return the image that a JSON object holds in base64 at key `field`.

    Raises RequestError if the body is not a JSON object, or if the field is missing or not base64 of an image.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f'The body is not valid JSON. Send {{"{field}": "<base64>"}}.') from error
    if not isinstance(document, dict):
        raise RequestError(f'The body is not a JSON object. Send {{"{field}": "<base64>"}}.')
    if field not in document:
        raise RequestError(f'Field \'{field}\' is missing. Send {{"{field}": "<base64>"}}.')
    if not isinstance(document[field], str):
        raise RequestError(f"Field '{field}' is not a string. Send the picture's bytes in base64.")
    return _decode_base64(document[field], field)


def _decode_base64(text: str, field: str) -> bytes:
    """Decode standard or URL-safe base64, bare or as a data URL, with or without padding and line breaks."""
    prefix, comma, encoded = text.partition(",")
    if not comma:
        prefix, encoded = "", text
    elif not prefix.lower().startswith("data:"):
        raise _invalid_base64(field)
    compact = "".join(encoded.split()).rstrip("=").translate(URL_SAFE_TO_STANDARD)
    try:
        image_bytes = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid_base64(field) from error
    ContentType.parse(prefix[len("data:") :]).check_image(image_bytes)
    return image_bytes


def _invalid_base64(field: str) -> RequestError:
    return RequestError(f"Field '{field}' is not valid base64. Send the picture's bytes in base64, or as a data URL.")
