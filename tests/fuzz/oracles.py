"""What other parsers make of the same bytes: python-multipart of forms, `json` and `base64` of documents."""

import base64
import binascii
import json
import logging
import re
from collections.abc import Callable

import python_multipart
from python_multipart.multipart import MultipartParser, parse_options_header

from service.imaging.decode import has_image_signature
from service.web.json_image import MAX_DOCUMENT_BYTES

Part = tuple[bytes, bytes | None, bytes]

ORDINARY_DISPOSITION = re.compile(rb'form-data(?:; *[a-z]+="[^"\\;]*")*')
"""Headers that both parsers must read alike. Others are read as leniently as each does."""

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def check_form(header: bytes, boundary: bytes, body: bytes, parts: list[Part]) -> None:
    """Compare parts with those of python-multipart, if it accepts the form too."""
    _, options = parse_options_header(b"multipart/form-data" + header)
    expected = parts_of_form(boundary, body)
    if options.get(b"boundary") != boundary or expected is None:
        return
    assert [content for _, content in expected] == [content for _, _, content in parts]
    for (disposition, _), (name, filename, _) in zip(expected, parts, strict=True):
        if ORDINARY_DISPOSITION.fullmatch(disposition):
            options = parse_options_header(disposition)[1]
            assert options.get(b"name", b"") == name
            assert (b"filename" in options) == (filename is not None)


def parts_of_form(boundary: bytes, body: bytes) -> list[tuple[bytes, bytes]] | None:
    """Return Content-Disposition and content of each part, or None if python-multipart rejects the form."""
    if not body.startswith((b"--" + boundary, b"\r\n--" + boundary)):
        return None  # it would find the boundary in the middle of a line
    collector = _Collector()
    try:
        parser = MultipartParser(boundary, collector.callbacks)  # type: ignore[arg-type]
        parser.write(body)
    except python_multipart.exceptions.FormParserError:
        return None
    return collector.parts if collector.is_complete else None


class _Collector:
    """Collects what python-multipart's parser finds."""

    def __init__(self) -> None:
        self.parts: list[tuple[bytes, bytes]] = []
        self.is_complete = False
        self._field = self._value = self._disposition = self._content = b""
        self.callbacks: dict[str, Callable[..., None]] = {
            name: getattr(self, name)
            for name in (
                "on_part_begin",
                "on_part_data",
                "on_part_end",
                "on_header_begin",
                "on_header_field",
                "on_header_value",
                "on_header_end",
                "on_end",
            )
        }

    def on_part_begin(self) -> None:
        self._disposition = self._content = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def on_part_end(self) -> None:
        self.parts.append((self._disposition, self._content))

    def on_header_begin(self) -> None:
        self._field = self._value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value

    def on_end(self) -> None:
        self.is_complete = True


def image_of_document(body: bytes) -> bytes | None:
    """Return the image of a valid document at key `image`.

    Returns None if the document or its base64 is not valid, or if this service may reject it for another reason.
    """
    if len(body) > MAX_DOCUMENT_BYTES or b"data:" in body.lower():
        return None
    try:
        text = json.loads(body)["image"].encode("ascii")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    text = text.translate(bytes.maketrans(b"-_", b"+/"), b" \t\r\n\v\f").rstrip(b"=")
    try:
        image = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
    return image if has_image_signature(image) else None
