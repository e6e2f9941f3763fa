"""Numbers in JSON and in bytes become float32 (N, 1, 28, 28); anything else is rejected."""

import json
import struct

import numpy as np
import pytest

from service.errors import RequestError
from service.inference.tensors import SLICE_BYTES, images_from_bytes, images_from_json, skeleton

SHAPE = [2, 1, 28, 28]
IMAGES = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
FLAT, NESTED = IMAGES.ravel().tolist(), IMAGES.tolist()


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("numbers", [FLAT, NESTED], ids=["flat", "nested"])
def test_numbers_are_parsed_exactly(numbers: object, indent: int | None, buffer: type[bytes | bytearray]) -> None:
    """Return the float32 values that `json` wrote, flat or nested, with blanks or without."""
    text = json.dumps(numbers, indent=indent).encode()
    assert len(text) < SLICE_BYTES
    assert np.array_equal(images_from_json(buffer(text), SHAPE), IMAGES)


@pytest.mark.parametrize("nested", [False, True])
def test_long_text_is_parsed_in_slices(nested: bool) -> None:
    """Return every value of 64 images, whose text is many slices long."""
    images = np.random.default_rng(1).normal(size=(64, 1, 28, 28)).astype(np.float32)
    text = json.dumps(images.tolist() if nested else images.ravel().tolist()).encode()
    assert len(text) > 10 * SLICE_BYTES
    parsed = images_from_json(text, images.shape)
    assert parsed.dtype == np.float32
    assert parsed.flags.c_contiguous
    assert np.array_equal(parsed, images)


@pytest.mark.parametrize(("text", "value"), [(b"0", 0), (b"-1", -1), (b"1E2", 100), (b"-2.5e-1", -0.25), (b"1e-60", 0)])
def test_every_form_of_a_number_is_parsed(text: bytes, value: float) -> None:
    """Parse integers, fractions and exponents. What is too small for float32 is zero."""
    assert images_from_json(b"[" + text + b"]", [1]).tolist() == [value]


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"1", b"[1,2,3", b"1,2,3]", b"[1,2]", b"[1,2,3,4]", b"[1,2,3]]", b"[[1,2,3]]", b"[1,,3]"),
        *(b"[1,2,]", b"[,2,3]", b"[1 1,2,3]", b"[1,2,[3]]", b"[1,2,3]4", b"5[1,2,3]", b"[1,2,.5]", b"[1,2,1.]"),
        *(b"[1,2,+3]", b"[1,2,0x3]", b"[1,2,03]", b"[1,2,NaN]", b"[1,2,Infinity]", b"[1,2,null]", b"[1,2,true]"),
        *(b'[1,2,"3"]', b"[1,2,{}]", b"[1,2,1_0]", b"[1,2,3;]", b"[1,2," + b"9" * 3 * SLICE_BYTES + b"]", b"[" * 100),
    ],
)
def test_anything_but_the_numbers_is_rejected(text: bytes) -> None:
    """Say how many numbers of which shape are needed."""
    with pytest.raises(RequestError, match=r"is not 3 numbers, in one array or nested as its shape \[3\]"):
        images_from_json(text, [3])


@pytest.mark.parametrize(
    "text", [b"[[1,2],[3]]", b"[[1],[2,3,4]]", b"[[1,2]3,[,4]]", b"[[1,2],[3,4]5]", b"[6[1,2],[3,4]]"]
)
def test_other_nesting_is_rejected(text: bytes) -> None:
    """Reject arrays that are not nested as the shape, and numbers outside of them."""
    with pytest.raises(RequestError, match="is not 4 numbers"):
        images_from_json(text, [2, 2])


@pytest.mark.parametrize("text", [b"1e39", b"-1e400", b"9" * 5_000])
def test_number_beyond_float32_is_rejected(text: bytes) -> None:
    """Reject numbers that are infinite in float32."""
    with pytest.raises(RequestError, match="not finite in FP32"):
        images_from_json(b"[" + text + b"]", [1])


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_bytes_are_read_at_any_offset(offset: int) -> None:
    """Return aligned, writable values, whatever the alignment of the bytes is."""
    images = images_from_bytes(b"x" * offset + IMAGES.tobytes(), offset, SHAPE)
    assert (images.flags.aligned, images.flags.writeable) == (True, True)
    assert np.array_equal(images, IMAGES)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_bytes_that_are_not_finite_are_rejected(value: float) -> None:
    """Reject NaN and infinity."""
    with pytest.raises(RequestError, match="not finite in FP32"):
        images_from_bytes(struct.pack("<2f", 1.0, value), 0, [2])


def test_skeleton_is_that_of_json() -> None:
    """Write the brackets and commas of a nested array."""
    assert (
        skeleton([2, 1, 3])
        == json.dumps(np.zeros((2, 1, 3)).tolist()).translate({ord(c): None for c in "0. "}).encode()
    )
