"""The images of an inference request: numbers or files, in JSON or behind it."""

import math
import re
import struct
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from service.errors import RequestError
from service.imaging.buffers import Buffer, keep_ranges
from service.inference.tensors import (
    FLOAT_BYTES,
    WHITESPACE,
    Images,
    images_from_bytes,
    images_from_json,
    skeleton,
)
from service.web.content_type import ContentType
from service.web.json_image import decode_string
from service.web.openinference_input import Tensor
from service.web.openinference_metadata import INPUT

ELEMENT = re.compile(rb'([\[\],\s]*+)"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
"""A string in an array, and the brackets, commas and blanks before it."""

LENGTH = struct.Struct("<I")
"""Stands before each element of BYTES in binary data."""

Result = TypeVar("Result")


def read_json_images(tensor: Tensor, text: Buffer) -> Images | list[Buffer]:
    """Read images from the JSON text of an array: numbers, or files in base64."""
    if tensor.datatype == "FP32":
        return images_from_json(text, tensor.shape)
    return _decode_strings(text, tensor)


def read_binary_images(tensor: Tensor, content: Buffer, start: int) -> Images | list[Buffer]:
    """Read images from the binary data that `content` holds from `start` on. A bytearray may be changed in place."""
    if len(content) - start != tensor.size:
        raise RequestError(
            f"Input '{INPUT}' has binary_data_size {tensor.size}, but {len(content) - start} bytes follow the JSON."
        )
    if tensor.datatype == "FP32":
        expected = FLOAT_BYTES * math.prod(tensor.shape)
        if tensor.size != expected:
            raise RequestError(f"Input '{INPUT}' of shape {tensor.shape} has {tensor.size} bytes, not {expected}.")
        return images_from_bytes(content, start, tensor.shape)
    return _split_elements(content, start, tensor.count)


def _decode_strings(text: Buffer, tensor: Tensor) -> list[Buffer]:
    """Decode the files of an array of strings in base64."""
    files: list[Buffer] = []
    separators, position = bytearray(), 0
    while len(files) < tensor.count and (element := ELEMENT.match(text, position)):
        separators += element[1]
        (start, end), position = element.span(2), element.end()
        with memoryview(text) as view:
            string = bytearray(view[start:end])  # decoded in place
        files.append(_with_index(len(files), tensor.count, partial(decode_string, string, INPUT)))
    separators += text[position:]
    outline = separators.translate(None, WHITESPACE)
    if len(files) < tensor.count or outline not in (skeleton([tensor.count]), skeleton(tensor.shape)):
        raise RequestError(f"The data of input '{INPUT}' is not an array of {tensor.count} strings in base64.")
    return files


def _split_elements(content: Buffer, start: int, count: int) -> list[Buffer]:
    """Return the files in binary data, each of which stands behind its length."""
    spans = []
    for _ in range(count):
        first = start + LENGTH.size
        start = first + LENGTH.unpack_from(content, start)[0] if first <= len(content) else first
        spans.append((first, start))
    if start != len(content):
        raise RequestError(
            f"The binary data of input '{INPUT}' is not {count} elements, each behind its length in four bytes,"
            " little-endian."
        )
    files = [keep_ranges(content, spans)] if count == 1 else [content[first:end] for first, end in spans]
    for index, file in enumerate(files):
        _with_index(index, count, partial(ContentType("").check_image, file))
    return files


def _with_index(index: int, count: int, read: Callable[[], Result]) -> Result:
    """Read one of several files. An error says which one it is."""
    try:
        return read()
    except RequestError as error:
        if count == 1:
            raise
        raise name_image(error, index, count) from error


def name_image(error: RequestError, index: int, count: int) -> RequestError:
    """Return the error of one of several images, which says which one it is."""
    return RequestError(f"Image {index} of {count} (from 0): {error}")
