"""JSON documents that are legal but rare, damaged, or costly."""

import base64
import json

from tests.hostile.png_writer import UPLOAD
from tests.hostile.pngs import Generators
from tests.images import SEVEN, encode

PNG = base64.b64encode(encode(SEVEN))
GOOD = b'"image": "' + PNG + b'"'
LONG = b'"image": "' + base64.b64encode(encode(SEVEN) + bytes(7_000_000)) + b'"'


def document(image: bytes, rest: bytes = b"") -> bytes:
    """Write a document with an image string, as it stands, and more keys before it."""
    return b"{" + rest + b'"image": "' + image + b'"}'


def repeated(item: bytes) -> bytes:
    """Write a document whose other key holds a long list."""
    count = (UPLOAD - 10_000) // (len(item) + 1)
    return b'{"list": [' + (item + b",") * count + item + b"], " + GOOD + b"}"


DOCUMENTS: Generators = {
    "empty lists of 9.9 MB": lambda: repeated(b"[]"),
    "empty objects of 9.9 MB": lambda: repeated(b"{}"),
    "numbers of 9.9 MB": lambda: repeated(b"1"),
    "long numbers of 9.9 MB": lambda: repeated(b"9" * 4_000),
    "one number of 9.9 MB": lambda: b'{"number": ' + b"9" * (UPLOAD - 10_000) + b", " + GOOD + b"}",
    "strings of 9.9 MB": lambda: repeated(b'"a"'),
    "image keys of 9.9 MB": lambda: repeated(b'{"image":"AAAA"}'),
    "keys of 9.9 MB": lambda: b"{" + b"".join(b'"%d":0,' % n for n in range(900_000)) + GOOD + b"}",
    "equal keys of 9.9 MB": lambda: b"{" + b'"a":0,' * (UPLOAD // 6 - 1_000) + GOOD + b"}",
    "brackets of 9.9 MB": lambda: b"[" * UPLOAD,
    "objects in objects": lambda: b'{"a":' * (UPLOAD // 5),
    "blanks of 9.9 MB": lambda: b" " * (UPLOAD - 10_000) + b"{" + GOOD + b"}",
    "blanks behind the key": lambda: b'{"image"' + b" " * (UPLOAD - 100) + b': "AAAA"}',
    "keys without values": lambda: b'"image" ' * (UPLOAD // 8),
    "keys with colons": lambda: b'"image":' * (UPLOAD // 8),
    "one open string": lambda: b'{"image": "' + b"A" * (UPLOAD - 100),
    "open strings": lambda: b'"image":"' * (UPLOAD // 9),
    "open strings with backslashes": lambda: b'"image":"\\' * (UPLOAD // 10),
    "base64 of 9.9 MB": lambda: document(b"A" * (UPLOAD - 100)),
    "base64 of a digit and 7 MB": lambda: b"{" + LONG + b"}",
    "base64 with blanks": lambda: document(b"AAAA " * (UPLOAD // 5 - 100)),
    "base64 with line breaks": lambda: document((b"A" * 76 + b"\\r\\n") * (UPLOAD // 80 - 100)),
    "base64 of blanks": lambda: document(b" " * (UPLOAD - 100)),
    "base64 of padding": lambda: document(b"=" * (UPLOAD - 100)),
    "base64 that ends in a blank": lambda: document(b"A" * (UPLOAD - 1_000) + b" "),
    "URL-safe base64 of 9.9 MB": lambda: document(b"-_AA" * (UPLOAD // 4 - 100)),
    "base64 with an error at its end": lambda: document(b"A" * (UPLOAD - 1_000) + b"!"),
    "escaped slashes of 9.9 MB": lambda: document(b"\\/" * (UPLOAD // 2 - 100)),
    "escaped letters of 9.9 MB": lambda: document(b"\\u0041" * (UPLOAD // 6 - 100)),
    "escaped emoji of 9.9 MB": lambda: document(b"\\ud83d\\ude00" * (UPLOAD // 12 - 100)),
    "one escaped emoji and 9.9 MB": lambda: document(b"\\ud83d\\ude00" + b"A" * (UPLOAD - 1_000)),
    "string that is not UTF-8": lambda: document(b"\xff\xfe" + PNG),
    "one emoji and 9.9 MB": lambda: document("\U0001f600".encode() + b"A" * (UPLOAD - 1_000) + b"\\n"),
    "backslashes of 9.9 MB": lambda: document(b"\\\\" * (UPLOAD // 2 - 100)),
    "data URL of 9.9 MB": lambda: document(b"data:" + b"x" * (UPLOAD - 1_000)),
    "data URL of a type that is not UTF-8": lambda: document(b"data:image/\xff;base64," + PNG),
    "data URL of a type that is half an emoji": lambda: document(b"data:image/\\ud83d;base64," + PNG),
    "data URL of commas": lambda: document(b"data:," * (UPLOAD // 6 - 100)),
    "data URL of a long type": lambda: document(b"data:image/png;" + b"x" * 16_000 + b"," + PNG),
    "UTF-16": lambda: json.dumps({"image": PNG.decode()}).encode("utf-16"),
    "UTF-16 of 9.9 MB": lambda: json.dumps({"image": "A" * (UPLOAD // 2 - 1_000)}).encode("utf-16"),
    "UTF-32 of 9.9 MB": lambda: json.dumps({"image": "A" * (UPLOAD // 4 - 1_000)}).encode("utf-32"),
    "UTF-8 with a byte order mark": lambda: b"\xef\xbb\xbf{" + GOOD + b"}",
    "image in an object before": lambda: b'{"meta": {"image": "AAAA"}, ' + LONG + b"}",
    "image key in a string before": lambda: b'{"\\"image": "AAAA", ' + LONG + b"}",
    "image twice": lambda: b"{" + LONG + b", " + GOOD + b"}",
    "placeholder of the parser": lambda: document(b"\\u0000image"),
    "comment of 60 KB before": lambda: document(PNG, b'"comment": "' + b"x" * 60_000 + b'", '),
}
