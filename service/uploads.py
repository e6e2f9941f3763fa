"""A request becomes the bytes of one picture, however the client sent it."""

import base64
import binascii
import json
from collections.abc import AsyncGenerator, Sequence

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from service.errors import RequestError, UploadTooLargeError

PICTURE_TYPES = ("image/png", "image/jpeg", "image/jpg")
LINGER = 4
"""How many times the allowed size is read before a client that sends too much is cut off."""

UNDECLARED = ("", "application/octet-stream")
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


class InMemoryParser(MultiPartParser):
    """Starlette's parser, but nothing spills to disk: a container's file system may be read-only."""

    spool_max_size = 0  # no limit: `body` has counted the bytes already


async def body(request: Request, max_bytes: int) -> bytes:
    """The whole body. Raises UploadTooLargeError where it is longer than `max_bytes`.

    What is too much is read and dropped, up to a point: a client that is cut off while it still sends would
    see a broken connection in place of the answer.
    """
    received, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= max_bytes:
            received += chunk
        elif size > LINGER * max_bytes:
            break
    if size > max_bytes:
        raise UploadTooLargeError(f"The upload is larger than {max_bytes} bytes. Send a smaller file.")
    return bytes(received)


async def from_form(headers: Headers, content: bytes, field: str) -> bytes:
    """The file in the multipart field `field`, which must be there once. Other fields are ignored."""
    for_file = await _files(headers, content, field)
    if len(for_file) > 1:
        raise RequestError(f"Field '{field}' holds {len(for_file)} files. Send one picture a request.")
    (file,) = for_file
    picture = await file.read()
    check_type(file.content_type or "", picture)
    return picture


async def from_form_or_body(headers: Headers, content: bytes, field: str) -> bytes:
    """The same, or the body itself where it is declared as a picture or as nothing."""
    declared = headers.get("content-type", "")
    if media_type(declared) == "multipart/form-data":
        return await from_form(headers, content, field)
    if not content:
        raise RequestError(
            f"The body is empty. Send the picture as multipart field '{field}', or as the body with its Content-Type."
        )
    check_type(declared, content)
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
        raise RequestError(f"Invalid file type: {kind or 'unknown'}. Only JPEG and PNG are supported.")


async def _files(headers: Headers, content: bytes, field: str) -> Sequence[UploadFile]:
    """The files in the field, at least one."""
    if media_type(headers.get("content-type", "")) != "multipart/form-data":
        raise RequestError(f"The body is not multipart/form-data. Send the picture as multipart field '{field}'.")
    try:
        form = await InMemoryParser(headers, _once(content)).parse()
    except MultiPartException as error:
        raise RequestError(f"The multipart body cannot be read: {error.message}") from error
    except ValueError as error:  # a charset that cannot decode
        raise RequestError("The multipart body's charset cannot be used. Send it without one, as UTF-8.") from error
    values = form.getlist(field)
    if not values:
        raise RequestError(f"Field '{field}' is missing. Send the picture as multipart field '{field}'.")
    files = [value for value in values if isinstance(value, UploadFile)]
    if len(files) < len(values):
        raise RequestError(f"Field '{field}' is text. Send the picture as a file, with a file name.")
    return files


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


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
