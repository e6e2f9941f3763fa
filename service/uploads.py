"""A request becomes the bytes of one picture, however the client sent it."""

import base64
import binascii
import json

from starlette.requests import Request

from service import multipart
from service.decode import PNG
from service.errors import RequestError, UploadTooLargeError
from service.multipart import Part

PICTURE_TYPES = ("image/png", "image/jpeg", "image/jpg")
UNDECLARED = ("", "application/octet-stream")
SIGNATURES = (PNG, b"\xff\xd8\xff")

LINGER = 4
"""How many times the allowed size is read before a client that sends too much is cut off."""

SHOWN = 100
"""Characters of a client's own words that an answer repeats."""


async def body(request: Request, max_bytes: int) -> bytes:
    """The whole body. Raises UploadTooLargeError where it is longer than `max_bytes`.

    What is too much is read and dropped, up to a point: a client that is cut off while it still sends would
    see a broken connection in place of the answer.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= max_bytes:
            chunks.append(chunk)
        elif size > LINGER * max_bytes:
            break
    if size > max_bytes:
        raise UploadTooLargeError(f"The upload is larger than {max_bytes} bytes. Send a smaller file.")
    return b"".join(chunks)


def from_form(content_type: str, content: bytes, field: str) -> bytes:
    """The file in the multipart field `field`, which must be there once. Other fields are ignored."""
    found = _parts(content_type, content, field)
    if len(found) > 1:
        raise RequestError(f"Field '{field}' is there {len(found)} times. Send one picture a request.")
    return _picture(found[0], field)


def each_from_form(content_type: str, content: bytes, field: str, most: int) -> list[bytes | RequestError]:
    """The files in the multipart field `field`, at most `most`; an error in the place of what is no picture."""
    found = _parts(content_type, content, field)
    if len(found) > most:
        raise RequestError(f"Field '{field}' is there {len(found)} times. Send at most {most} pictures a request.")
    return [_picture_or_error(part, field) for part in found]


def _parts(content_type: str, content: bytes, field: str) -> list[Part]:
    """The parts of a form with this name: at least one."""
    if media_type(content_type) != "multipart/form-data":
        raise RequestError(f"The body is not multipart/form-data. Send the picture as multipart field '{field}'.")
    found = [part for part in multipart.parse(content_type, content) if part.name == field.encode()]
    if not found:
        raise RequestError(f"Field '{field}' is missing. Send the picture as multipart field '{field}'.")
    return found


def _picture(part: Part, field: str) -> bytes:
    if part.filename is None:
        raise RequestError(f"Field '{field}' is text. Send the picture as a file, with a file name.")
    check_type(part.content_type, part.content)
    return part.content


def _picture_or_error(part: Part, field: str) -> bytes | RequestError:
    try:
        return _picture(part, field)
    except RequestError as error:
        return error


def from_form_or_body(content_type: str, content: bytes, field: str) -> bytes:
    """The same, or the body itself where it is declared as a picture or as nothing."""
    if media_type(content_type) == "multipart/form-data":
        return from_form(content_type, content, field)
    if not content:
        raise RequestError(
            f"The body is empty. Send the picture as multipart field '{field}', or as the body with its Content-Type."
        )
    check_type(content_type, content)
    return content


def from_json(content: bytes, field: str) -> bytes:
    """The picture in base64 at key `field` of a JSON object."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RequestError(f'The body is not valid JSON. Send {{"{field}": "<base64>"}}.') from error
    if not isinstance(document, dict):
        raise RequestError(f'The body is not a JSON object. Send {{"{field}": "<base64>"}}.')
    if field not in document:
        raise RequestError(f'Field \'{field}\' is missing. Send {{"{field}": "<base64>"}}.')
    if not isinstance(document[field], str):
        raise RequestError(f"Field '{field}' is not a string. Send the picture's bytes in base64.")
    return _from_base64(document[field], field)


def media_type(content_type: str) -> str:
    """`Image/PNG; q=1` as `image/png`."""
    return content_type.partition(";")[0].strip().lower()


def check_type(declared: str, picture: bytes) -> None:
    """Refuse a picture of another declared type; one without a type is judged by its first bytes."""
    kind = media_type(declared)
    undeclared_picture = kind in UNDECLARED and (not picture or picture.startswith(SIGNATURES))
    if kind not in PICTURE_TYPES and not undeclared_picture:
        shown = kind[:SHOWN].encode("ascii", "backslashreplace").decode() or "unknown"
        raise RequestError(f"Invalid file type: {shown}. Only JPEG and PNG are supported.")


def _from_base64(text: str, field: str) -> bytes:
    """Standard or URL-safe base64, bare or as a data URL, with or without padding and line breaks."""
    prefix, comma, encoded = text.partition(",")
    if not comma:
        encoded = text
    elif not prefix.lower().startswith("data:"):
        raise _bad_base64(field)
    compact = "".join(encoded.split()).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        picture = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad_base64(field) from error
    check_type(prefix[len("data:") :] if comma else "", picture)
    return picture


def _bad_base64(field: str) -> RequestError:
    return RequestError(f"Field '{field}' is not valid base64. Send the picture's bytes in base64, or as a data URL.")
