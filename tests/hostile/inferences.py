"""Inference requests in JSON that are legal but rare, damaged, or costly."""

import base64
import json

from tests.hostile.png_writer import UPLOAD
from tests.hostile.pngs import Generators
from tests.images import SEVEN, encode

PNG = base64.b64encode(encode(SEVEN))
BATCH = 64
NUMBERS = BATCH * 28 * 28


def tensor(data: bytes, shape: str = f"[{BATCH}, 1, 28, 28]", rest: bytes = b"") -> bytes:
    """Write a request with these numbers, as they stand, and more keys before them."""
    return b'{%b"inputs": [{"name": "image", "datatype": "FP32", "shape": %b, "data": %b}]}' % (
        rest,
        shape.encode(),
        data,
    )


def files(data: bytes, count: int = 1) -> bytes:
    """Write a request with these strings, as they stand."""
    return b'{"inputs": [{"name": "image", "datatype": "BYTES", "shape": [%d], "data": %b}]}' % (count, data)


def repeated(item: bytes) -> bytes:
    """Write a tensor whose data is one item again and again."""
    return tensor(b"[" + (item + b",") * ((UPLOAD - 1_000) // (len(item) + 1)) + item + b"]")


def numbers(size: int) -> bytes:
    """Write a tensor of so many bytes that its numbers, as many as its shape says, are as long as possible."""
    digits = size // NUMBERS - 4
    return tensor(b"[" + b",".join([b"0." + b"3" * digits] * NUMBERS) + b"]")


INFERENCES: Generators = {
    "empty lists of 9.9 MB": lambda: repeated(b"[]"),
    "lists of numbers of 9.9 MB": lambda: repeated(b"[1]"),
    "empty objects of 9.9 MB": lambda: repeated(b"{}"),
    "numbers of 9.9 MB": lambda: repeated(b"1"),
    "strings of 9.9 MB": lambda: repeated(b'"a"'),
    "brackets of 9.9 MB": lambda: tensor(b"[" * UPLOAD),
    "closed brackets of 9.9 MB": lambda: tensor(b"[" * (UPLOAD // 2) + b"]" * (UPLOAD // 2)),
    "commas of 9.9 MB": lambda: tensor(b"[" + b"," * UPLOAD + b"]"),
    "blanks of 9.9 MB": lambda: tensor(b"[" + b" " * UPLOAD + b"]"),
    "blanks between brackets of 9.9 MB": lambda: tensor(b"] [" * (UPLOAD // 3)),
    "digits of 9.9 MB": lambda: tensor(b"[" + b"9" * UPLOAD + b"]", "[1, 1, 28, 28]"),
    "long numbers of 9.9 MB": lambda: numbers(UPLOAD),
    "numbers of 1 MB": lambda: numbers(1_000_000),
    "numbers with blanks of 7.6 MB": lambda: tensor(b"[" + b",".join([b"1" + b" " * 150] * NUMBERS) + b"]"),
    "one long number of 9.9 MB": lambda: tensor(b"[" + b"1," * 783 + b"0." + b"3" * UPLOAD + b"]", "[1, 1, 28, 28]"),
    "numbers at another key of 9.9 MB": lambda: tensor(b"[1]", rest=b'"list": [' + b"1," * (UPLOAD // 2) + b"1],"),
    "data keys of 9.9 MB": lambda: b'"data":[' * (UPLOAD // 8),
    "data of empty lists of 9.9 MB": lambda: b"{" + b'"data":[],' * (UPLOAD // 10) + b'"a":0}',
    "data keys without values of 9.9 MB": lambda: b'"data" ' * (UPLOAD // 7),
    "data of strings without an end of 9.9 MB": lambda: b'{"data":["' + b"A" * UPLOAD,
    "data of open strings of 9.9 MB": lambda: b'"data":["' * (UPLOAD // 9),
    "data of open strings with backslashes of 9.9 MB": lambda: b'"data":["\\' * (UPLOAD // 10),
    "blanks behind the data key of 9.9 MB": lambda: b'{"data"' + b" " * UPLOAD + b":[1]}",
    "blanks behind a string of 9.9 MB": lambda: b'{"data":["A"' + b" " * UPLOAD + b"]}",
    "base64 of 9.9 MB": lambda: files(b'["' + b"A" * (UPLOAD - 1_000) + b'"]'),
    "base64 of a digit and 7 MB": lambda: files(b'["' + base64.b64encode(encode(SEVEN) + bytes(7_000_000)) + b'"]'),
    "64 digits and 7 MB": lambda: files(
        json.dumps([base64.b64encode(encode(SEVEN) + bytes(110_000)).decode()] * BATCH).encode(), BATCH
    ),
    "escaped slashes of 9.9 MB": lambda: files(b'["' + b"\\/" * (UPLOAD // 2 - 1_000) + b'"]'),
    "escaped letters of 9.9 MB": lambda: files(b'["' + b"\\u0041" * (UPLOAD // 6 - 1_000) + b'"]'),
    "one emoji and 9.9 MB": lambda: files('["\U0001f600'.encode() + b"A" * (UPLOAD - 1_000) + b'"]'),
    "base64 with line breaks of 9.9 MB": lambda: files(b'["' + (b"A" * 76 + b"\\r\\n") * (UPLOAD // 80 - 100) + b'"]'),
    "empty strings of 9.9 MB": lambda: files(b"[" + b'"",' * (UPLOAD // 3) + b'""]'),
    "a digit with a comment of 60 KB": lambda: b'{"comment": "%b", ' % (b"x" * 60_000) + files(b'["%b"]' % PNG)[1:],
}
