"""Tensors that clients send: JSON numbers or bytes -> standardized images, float32 (N, 1, 28, 28)."""

import json
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.errors import RequestError
from service.imaging.buffers import Buffer

Images = NDArray[np.float32]

FLOAT_BYTES = 4
SLICE_BYTES = 65_536
"""Numbers are parsed in slices of this size: few Python objects exist at once, and between two slices other threads
run."""

NUMBER_CHARACTERS = b"0123456789+-.eE"
WHITESPACE = b" \t\r\n"
WITHOUT_BRACKETS = bytes.maketrans(b"[]", b"  ")
ONE_DIGIT = bytes.maketrans(NUMBER_CHARACTERS, b"1" * len(NUMBER_CHARACTERS))


def images_from_json(text: Buffer, shape: Sequence[int]) -> Images:
    """Parse a JSON array of numbers, flat or nested as `shape`, which is (N, 1, 28, 28).

    Raises RequestError if it is anything else, or if a number is not finite in float32.
    """
    count = math.prod(shape)
    if text.translate(None, NUMBER_CHARACTERS + WHITESPACE) not in (skeleton([count]), skeleton(shape)):
        raise _not_numbers(shape)
    images = np.empty(count, np.float32)
    start = 0
    for part in _slices(text, shape):
        numbers = _parse_numbers(part, shape)
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
            images[start : start + len(numbers)] = numbers
        start += len(numbers)
    return _finite(images.reshape(shape))


def images_from_bytes(content: Buffer, start: int, shape: Sequence[int]) -> Images:
    """Read the little-endian float32 values that `content` holds from `start` on. Copies them, and so aligns them.

    Raises RequestError if one is not finite.
    """
    values = np.frombuffer(content, "<f4", math.prod(shape), start)
    return _finite(values.astype(np.float32).reshape(shape))


def skeleton(shape: Sequence[int]) -> bytes:
    """Return the brackets and commas of a JSON array of this shape."""
    text = b""
    for size in reversed(shape):
        text = b"[" + b",".join([text] * size) + b"]"
    return text


def _slices(text: Buffer, shape: Sequence[int]) -> Iterator[Buffer]:
    """Split the text at commas, about SLICE_BYTES apart."""
    start = 0
    while start < len(text):
        comma = text.find(b",", start + SLICE_BYTES)
        end = comma if comma >= 0 else len(text)
        if end - start > 2 * SLICE_BYTES:  # a number that long would take long
            raise _not_numbers(shape)
        yield text[start:end]
        start = end + 1


def _parse_numbers(part: Buffer, shape: Sequence[int]) -> list[float]:
    outline = part.translate(ONE_DIGIT, WHITESPACE)
    if b"1[" in outline or b"]1" in outline:  # a number outside of the innermost arrays
        raise _not_numbers(shape)
    try:
        return list(json.loads(b"[" + part.translate(WITHOUT_BRACKETS) + b"]", parse_int=float))
    except ValueError as error:
        raise _not_numbers(shape) from error


def _finite(images: Images) -> Images:
    if not np.isfinite(images).all():
        raise RequestError("The data of input 'image' has values that are not finite in FP32. Send finite numbers.")
    return images


def _not_numbers(shape: Sequence[int]) -> RequestError:
    return RequestError(
        f"The data of input 'image' is not {math.prod(shape)} numbers, in one array or nested as its shape"
        f" {list(shape)}. Send them in row-major order."
    )
