"""An image is decoded from any common variant of base64; anything else is rejected and named."""

import base64
import json

import pytest

from service.errors import RequestError
from service.imaging import png
from service.imaging.buffers import Buffer
from service.web import json_image

PNG = png.SIGNATURE + bytes(range(256)) + b"\0"  # in base64: with padding, + and /
STANDARD = base64.b64encode(PNG).decode()
URL_SAFE = base64.urlsafe_b64encode(PNG).decode()
LINES = [STANDARD[i : i + 76] for i in range(0, len(STANDARD), 76)]

VARIANTS = {
    "bare": STANDARD,
    "data URL": f"data:image/png;base64,{STANDARD}",
    "data URL in upper case": f"DATA:IMAGE/PNG;BASE64,{STANDARD}",
    "data URL without a type": f"data:;base64,{STANDARD}",
    "data URL of undeclared bytes": f"data:application/octet-stream;base64,{STANDARD}",
    "line breaks": base64.encodebytes(PNG).decode(),
    "carriage returns and blanks": " " + "\r\n".join(LINES) + "\t",
    "URL-safe": URL_SAFE,
    "without padding": STANDARD.rstrip("="),
    "URL-safe without padding": URL_SAFE.rstrip("="),
}


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_base64_is_decoded(name: str, buffer: type[Buffer]) -> None:
    """Decode standard and URL-safe base64, bare or as a data URL, with or without padding and line breaks."""
    assert json_image.decode(buffer(json.dumps({"image": VARIANTS[name]}).encode()), "image") == PNG


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-le"])
def test_every_encoding_of_json_is_decoded(encoding: str) -> None:
    """Decode the encodings that `json` detects."""
    assert json_image.decode(json.dumps({"image": STANDARD}).encode(encoding), "image") == PNG


ESCAPED = {
    "slashes": STANDARD.replace("/", "\\/"),
    "plus signs": STANDARD.replace("+", "\\u002B"),
    "every character": "".join(f"\\u{ord(character):04x}" for character in STANDARD),
    "line breaks": "\\r\\n".join(LINES),
}


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("name", ESCAPED)
def test_escapes_are_replaced(name: str, buffer: type[Buffer]) -> None:
    """Decode base64 that is written with JSON escapes."""
    assert json_image.decode(buffer(f'{{"image": "{ESCAPED[name]}"}}'.encode()), "image") == PNG


DOCUMENTS_AROUND = {
    "other keys": '{"a": [1, {"b": null}], "image": "%s", "z": "\\"image\\": \\"AAAA\\""}',
    "another image in an object before": '{"meta": {"image": "AAAA"}, "image": "%s"}',
    "another image in an object behind": '{"image": "%s", "meta": {"image": "AAAA"}}',
    "key that ends in a quote": '{"\\"image": "AAAA", "image": "%s"}',
    "the same key before": '{"image": "AAAA", "image": "%s"}',
    "blanks": ' { "image" \n : \t "%s" } ',
    "60 KB of other keys": '{"comment": "' + "x" * 60_000 + '", "image": "%s"}',
}


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("size", [len(PNG), 300_000])
@pytest.mark.parametrize("name", DOCUMENTS_AROUND)
def test_rest_of_the_document_does_not_matter(name: str, size: int, buffer: type[Buffer]) -> None:
    """Return what `json` and `base64` return, for a short and a long image."""
    image = PNG.ljust(size, b"x")
    body = DOCUMENTS_AROUND[name] % base64.b64encode(image).decode()
    assert base64.b64decode(json.loads(body)["image"]) == image
    assert json_image.decode(buffer(body.encode()), "image") == image


def test_size_of_the_rest_is_limited() -> None:
    """Accept MAX_DOCUMENT_BYTES beside the image, and reject one byte more."""
    room = json_image.MAX_DOCUMENT_BYTES - len('{"image": "", "z": ""}')
    body, longer = (f'{{"image": "{STANDARD}", "z": "{"x" * size}"}}'.encode() for size in (room, room + 1))
    assert json_image.decode(body, "image") == PNG
    with pytest.raises(RequestError) as raised:
        json_image.decode(longer, "image")
    assert str(raised.value) == (
        "The JSON document has 65537 bytes without the string at key 'image', and 65536 are allowed."
        ' Send {"image": "<base64>"}.'
    )


@pytest.mark.parametrize("text", ["", "data:image/png;base64,", "data:,"])
def test_empty_image_is_left_to_the_decoder(text: str) -> None:
    """Return empty bytes for empty base64. Decoding them gives the better error."""
    assert json_image.decode(json.dumps({"image": text}).encode(), "image") == b""


def test_long_number_does_not_matter() -> None:
    """Read a document with a number of more digits than Python converts to an integer."""
    document = '{"number": ' + "9" * 5_000 + f', "image": "{STANDARD}"}}'
    assert json_image.decode(document.encode(), "image") == PNG


DOCUMENTS = {
    "malformed": (b'{"image": ', "The body is not valid JSON."),
    "empty": (b"", "The body is not valid JSON."),
    "not UTF-8": (b'{"image": 7, "\xff": 8}', "The body is not valid JSON."),
    "image is not UTF-8": (b'{"image": "\xff"}', "Field 'image' is not valid base64."),
    "nested too deep": (b"[" * 60_000, "The body is not valid JSON."),
    "escape that JSON does not have": (b'{"image": "\\x"}', "The body is not valid JSON."),
    "backslashes of 300 KB": (b'{"image": "' + b"\\\\" * 150_000 + b'"}', "Field 'image' is not valid base64."),
    "image is a number with many digits": (b'{"image": ' + b"9" * 5_000 + b"}", "Field 'image' is not a string."),
    "list": (b'["image"]', "The body is not a JSON object."),
    "string": (b'"image"', "The body is not a JSON object."),
    "null": (b"null", "The body is not a JSON object."),
    "other key": (b'{"photo": "AAAA"}', "Field 'image' is missing."),
    "image is a number": (b'{"image": 7}', "Field 'image' is not a string."),
    "image is null": (b'{"image": null}', "Field 'image' is not a string."),
    "invalid character": (b'{"image": "AAAA!AAA"}', "Field 'image' is not valid base64."),
    "one character too many": (b'{"image": "AAAAA"}', "Field 'image' is not valid base64."),
    "padding in the middle": (b'{"image": "AA==AAAA"}', "Field 'image' is not valid base64."),
    "not ASCII": ('{"image": "AAA\u00e9"}'.encode(), "Field 'image' is not valid base64."),
    "lone surrogate": (b'{"image": "\\ud800"}', "Field 'image' is not valid base64."),
    "comma without a data URL": (b'{"image": "AAAA,AAAA"}', "Field 'image' is not valid base64."),
    "data URL not in base64": (b'{"image": "data:image/png,%89PNG"}', "Field 'image' is not valid base64."),
    "not an image": (b'{"image": "AAAA"}', "Invalid file type: unknown. Only"),
    "data URL of another type": (b'{"image": "data:image/gif;base64,AAAA"}', "Invalid file type: image/gif. Only"),
    "type that is not ASCII": (b'{"image": "data:\xff,AAAA"}', "Invalid file type: \\xff. Only"),
    "type with an escape": (b'{"image": "data:\\ud800;base64,AAAA"}', "Field 'image' is not valid base64."),
    "very long type": (b'{"image": "data:' + b"x" * 9_000 + b',AAAA"}', f"Invalid file type: {'x' * 100}. Only"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_invalid_document_is_rejected_with_its_reason(name: str) -> None:
    """Name what is wrong with the document, its field or its base64."""
    body, detail = DOCUMENTS[name]
    with pytest.raises(RequestError) as raised:
        json_image.decode(body, "image")
    assert str(raised.value).startswith(detail)


LONG = png.SIGNATURE + bytes(range(256)) * 1_000
SPELLINGS = {
    "line breaks": "\\n".join(base64.encodebytes(LONG).decode().split()),
    "URL-safe": base64.urlsafe_b64encode(LONG).decode() + " ",
    "blanks around the padding": base64.b64encode(LONG).decode().rstrip("=") + " = = ",
}


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("name", SPELLINGS)
def test_long_base64_is_decoded_in_every_spelling(name: str, buffer: type[Buffer]) -> None:
    """Decode base64 of several slices, however it is written."""
    document = buffer(f'{{"image": "data:;base64=,{SPELLINGS[name]}"}}'.encode())
    assert json_image.decode(document, "image") == LONG


@pytest.mark.parametrize("place", [65_532, 65_536, 100_000])
def test_padding_inside_long_base64_is_rejected(place: int) -> None:
    """Reject padding in the middle, also at the end of a slice."""
    text = base64.b64encode(LONG).decode()
    with pytest.raises(RequestError, match="not valid base64"):
        json_image.decode(f'{{"image": "{text[:place]}AA=={text[place:]}"}}'.encode(), "image")
