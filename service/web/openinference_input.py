"""The input tensor of an inference request: standardized images as FP32, or PNG and JPEG files as BYTES."""

import math
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

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
from service.web.openinference_json import echo, parameters_of
from service.web.openinference_metadata import IMAGE_SHAPE, INPUT

ELEMENT = re.compile(rb'([\[\],\s]*+)"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
"""A string in an array, and the brackets, commas and blanks before it."""

IMAGE_SHAPES: dict[str, list[list[int]]] = {"FP32": [IMAGE_SHAPE], "BYTES": [[], [1]]}
"""Shapes of one image by datatype."""

LENGTH = struct.Struct("<I")
"""Stands before each element of BYTES in binary data."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Tensor:
    """What a request says about its input. size: bytes of binary data, None if its data is in the document."""

    datatype: str
    shape: list[int]
    size: int | None

    @property
    def count(self) -> int:
        """The number of images."""
        return self.shape[0]


def read_tensor(entry: dict[str, Any], max_batch: int) -> Tensor:
    """Check name, datatype and shape of an input. Raises RequestError, naming what the model expects."""
    if entry.get("name") != INPUT:
        raise RequestError(f"Unknown input {echo(entry.get('name'))}. The model has one input: '{INPUT}'.")
    datatype = entry.get("datatype")
    if not isinstance(datatype, str) or datatype not in IMAGE_SHAPES:
        raise RequestError(
            f"Input '{INPUT}' has datatype {echo(datatype)}. Send FP32 (standardized images) or BYTES (PNG or JPEG)."
        )
    shape = _read_shape(entry.get("shape"), IMAGE_SHAPES[datatype])
    if shape[0] > max_batch:
        raise RequestError(f"Input '{INPUT}' has {echo(shape[0])} images. Send at most {max_batch} per request.")
    return Tensor(datatype, shape, _binary_size(entry))


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


def _read_shape(shape: Any, image_shapes: Sequence[Sequence[int]]) -> list[int]:
    is_list = isinstance(shape, list) and shape != [] and all(type(size) is int for size in shape)
    if not is_list or shape[0] < 1 or shape[1:] not in image_shapes:
        raise RequestError(
            f"Input '{INPUT}' has shape {echo(shape)}. Send [N, 1, 28, 28] for FP32 or [N] for BYTES, N from 1."
        )
    return list(shape)


def _binary_size(entry: dict[str, Any]) -> int | None:
    """Return the declared size of binary data, None if the data is in the document."""
    size = parameters_of(entry).get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise RequestError(f"Input '{INPUT}' has binary_data_size {echo(size)}. It must be a number of bytes.")
    if (size is None) == ("data" not in entry):
        raise RequestError(
            f"Input '{INPUT}' needs either data, or the parameter binary_data_size and its bytes behind the JSON."
        )
    return size


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
    if separators.translate(None, WHITESPACE) not in (skeleton([tensor.count]), skeleton(tensor.shape)):
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
        raise name_image(error, index, count) from error


def name_image(error: RequestError, index: int, count: int) -> RequestError:
    """Return the error of one image, which says which one of several it is."""
    return error if count == 1 else RequestError(f"Image {index} of {count} (from 0): {error}")
