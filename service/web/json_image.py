"""Get a base64 image out of a JSON document.

The image string is cut out of the document before the rest is parsed, so a long document costs one pass over its bytes
and no objects.
"""

import binascii
import json
import re
from itertools import islice
from typing import Any

from service.errors import RequestError
from service.imaging.buffers import Buffer, keep_ranges
from service.web.content_type import ContentType

MAX_DOCUMENT_BYTES = 65_536
"""Size limit for the JSON document without its image string."""

MAX_PREFIX_BYTES = 16_384
"""Size limit for the part of a data URL before its comma."""

BYTES_PER_ESCAPE = 4
"""A long document may hold one backslash in so many bytes. Base64 needs none. Some libraries escape its slashes, which
are every 64th character, or write every character as six bytes. More would hold the interpreter for a fifth of a
second."""

MAX_STRINGS = 8_000
"""More strings at the image's key do not fit into MAX_DOCUMENT_BYTES."""

STRING_AT_KEY = rb'"%s"\s*:\s*"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
NOT_ASCII_ESCAPE = re.compile(rb"\\u(?!00)")
STANDARD_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
SLICE_BYTES = 65_536  # a multiple of 4
STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")
WHITESPACE = b" \t\r\n\v\f"
DATA_URL = re.compile(rb"data:([^,]{0,%d})," % MAX_PREFIX_BYTES, re.IGNORECASE)
PLACEHOLDER = "\0image"
ESCAPED_PLACEHOLDER = b"\\u0000image"
"""Stands in the document for the string that was cut out."""


def decode(body: Buffer, field: str) -> Buffer:
    """Return the image that a JSON object holds in base64 at key `field`. A bytearray is changed in place.

    Raises RequestError if the body is not a JSON object, if the field is missing or not base64 of an image, or if the
    document without the image is longer than MAX_DOCUMENT_BYTES.
    """
    check_escapes(body, field)
    start, end = _find_string(body, field)
    document = _parse_around(body, start, end, field)
    if field not in document:
        raise RequestError(f'Field \'{field}\' is missing. Send {{"{field}": "<base64>"}}.')
    value = document[field]
    if not isinstance(value, str):
        raise RequestError(f"Field '{field}' is not a string. Send the image's bytes in base64.")
    if value != PLACEHOLDER:  # in another encoding than UTF-8, or a repeated key
        return _decode_base64(value.encode("utf-8", "surrogatepass"), field)
    return decode_string(keep_ranges(body, [(start, end)]), field)


def decode_string(text: Buffer, field: str) -> Buffer:
    """Return the image that a JSON string, without its quotes, holds in base64. A bytearray is changed in place.

    Raises RequestError if it is not base64 of an image.
    """
    return _decode_base64(_unescape(text, field), field)


def check_escapes(body: Buffer, field: str) -> None:
    """Raise RequestError if a document holds more backslashes than base64 and MAX_DOCUMENT_BYTES beside it need."""
    if body.count(b"\\") > MAX_DOCUMENT_BYTES + len(body) // BYTES_PER_ESCAPE:
        raise _invalid_base64(field)


def _find_string(body: Buffer, field: str) -> tuple[int, int]:
    """Return start and end of the longest string value at key `field`, without quotes; (0, 0) if there is none.

    An object inside the document may hold the same key.
    """
    strings = re.finditer(STRING_AT_KEY % field.encode(), body, re.DOTALL)
    spans = [string.span(1) for string in islice(strings, MAX_STRINGS)]
    return max(spans, key=lambda span: span[1] - span[0], default=(0, 0))


def _parse_around(body: Buffer, start: int, end: int, field: str) -> dict[str, Any]:
    """Parse the document with PLACEHOLDER instead of the string from `start` to `end`."""
    size = len(body) - (end - start)
    if size > MAX_DOCUMENT_BYTES:
        raise RequestError(
            f"The JSON document has {size} bytes without the string at key '{field}', and {MAX_DOCUMENT_BYTES} are"
            f' allowed. Send {{"{field}": "<base64>"}}.'
        )
    try:
        text = body[:start] + ESCAPED_PLACEHOLDER + body[end:] if end else body
        document = json.loads(text, parse_int=float)  # an integer of 5,000 digits is valid JSON, but not a Python int
    except (ValueError, RecursionError) as error:
        raise _invalid_json(field) from error
    if not isinstance(document, dict):
        raise RequestError(f'The body is not a JSON object. Send {{"{field}": "<base64>"}}.')
    return document


def _unescape(text: Buffer, field: str) -> Buffer:
    r"""Replace JSON escapes: some libraries write `\/` or `\u002B`."""
    if b"\\" not in text:
        return text
    if not text.isascii() or NOT_ASCII_ESCAPE.search(text):  # one wide character would widen the whole string
        raise _invalid_base64(field)
    try:
        return str(json.loads(b'"%b"' % bytes(text), strict=False)).encode("utf-8", "surrogatepass")
    except ValueError as error:
        raise _invalid_json(field) from error


def _decode_base64(text: Buffer, field: str) -> Buffer:
    """Decode standard or URL-safe base64, bare or as a data URL, with or without padding and line breaks."""
    prefix = DATA_URL.match(text)
    start = prefix.end() if prefix else 0
    media_type = prefix[1].decode("utf-8", "backslashreplace") if prefix else ""
    del prefix  # a match locks a bytearray
    image_bytes = _decode_from(start, text, field)
    ContentType.parse(media_type).check_image(image_bytes)
    return image_bytes


def _decode_from(start: int, text: Buffer, field: str) -> Buffer:
    if isinstance(text, bytearray) and (len(text) - start) % 4 == 0 and STANDARD_BASE64.fullmatch(text, start):
        return _decode_in_place(start, text)
    if len(text) > SLICE_BYTES:
        return _decode_in_slices(start, text, field)
    return _decode_strictly(_compact(text[start:]).rstrip(b"="), field)


def _decode_in_slices(start: int, text: Buffer, field: str) -> bytearray:
    """Decode any base64 from `start` on. Between two slices other threads run, and each takes little memory."""
    text = text.rstrip(WHITESPACE + b"=")
    if text.find(b"=", start) >= 0:
        raise _invalid_base64(field)
    decoded, rest = bytearray(), b""
    for position in range(start, len(text), SLICE_BYTES):
        compact = rest + _compact(text[position : position + SLICE_BYTES])
        end = len(compact) - len(compact) % 4
        decoded += _decode_strictly(compact[:end], field)
        rest = compact[end:]
    decoded += _decode_strictly(rest, field)
    return decoded


def _compact(text: Buffer) -> bytes:
    return bytes(text.translate(STANDARD_ALPHABET, WHITESPACE))


def _decode_strictly(compact: bytes, field: str) -> bytes:
    """Decode base64 of the standard alphabet without padding and blanks."""
    try:
        return binascii.a2b_base64(compact + b"=" * (-len(compact) % 4), strict_mode=True)
    except binascii.Error as error:
        raise _invalid_base64(field) from error


def _decode_in_place(start: int, text: bytearray) -> bytearray:
    """Decode valid base64 from `start` on. The bytes are fewer than their text, so they fit over what was read."""
    written = 0
    for position in range(start, len(text), SLICE_BYTES):
        decoded = binascii.a2b_base64(text[position : position + SLICE_BYTES])
        text[written : written + len(decoded)] = decoded
        written += len(decoded)
    del text[written:]
    return text


def _invalid_json(field: str) -> RequestError:
    return RequestError(f'The body is not valid JSON. Send {{"{field}": "<base64>"}}.')


def _invalid_base64(field: str) -> RequestError:
    return RequestError(f"Field '{field}' is not valid base64. Send the image's bytes in base64, or as a data URL.")
