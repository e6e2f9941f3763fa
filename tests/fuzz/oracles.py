"""What other parsers make of the same bytes: python-multipart of forms; `json`, `base64` and numpy of documents."""

import base64
import binascii
import json
import logging
import re
from collections.abc import Callable
from typing import Any

import numpy as np
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


def images_of_request(body: bytes) -> list[Any] | None:
    """Return the images of a valid inference request: nested lists of numbers, or files.

    Returns None if the request is not valid, or if this service may reject it for another reason.
    """
    if len(body) > MAX_DOCUMENT_BYTES or b"true" in body:  # Python takes true for 1
        return None
    try:
        request = json.loads(body)
        (entry,) = request["inputs"]
        given = {key: entry.pop(key) for key in ("shape", "data", "datatype", "name")}
        if (request, given["name"]) != ({"inputs": [{}]}, "image"):
            return None
        return {"FP32": _floats, "BYTES": _files}[given["datatype"]](given["shape"], given["data"])
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None


def _floats(shape: Any, data: Any) -> list[Any] | None:
    values = np.array(data)
    with np.errstate(over="ignore"):
        images = values.astype(np.float32)
    is_valid = json.dumps(shape) == f"[{len(values)}, 1, 28, 28]" if values.ndim > 1 else shape[1:] == [1, 28, 28]
    if not is_valid or values.dtype.kind not in "if" or not np.isfinite(images).all():
        return None
    return list(images.reshape(shape).tolist()) if 0 < shape[0] <= 64 else None


def _files(shape: Any, data: Any) -> list[Any] | None:
    if json.dumps(shape) not in (f"[{len(data)}]", f"[{len(data)}, 1]") or not 0 < len(data) <= 64:
        return None
    texts = data if all(isinstance(item, str) for item in data) else [text for (text,) in data]
    if texts is not data and len(shape) == 1:
        return None
    images = [image_of_document(json.dumps({"image": text}).encode()) for text in texts]
    return None if None in images else images
