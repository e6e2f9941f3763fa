"""Multipart forms that are legal but rare, damaged, or costly. Their boundary is `b`."""

from tests.hostile.png_writer import UPLOAD
from tests.hostile.pngs import Generators
from tests.images import SEVEN, encode

CONTENT_TYPE = "multipart/form-data; boundary=b"
END = b"\r\n--b--\r\n"
PNG = encode(SEVEN)
DISPOSITION = b'Content-Disposition: form-data; name="file"; filename="d.png"'


def form(*parts: bytes) -> bytes:
    """Write a form from parts that consist of headers and content."""
    return b"".join(b"\r\n--b\r\n" + part for part in parts)[2:] + END


def part(disposition: bytes = DISPOSITION, *headers: bytes) -> bytes:
    """Write the part of an image."""
    return b"\r\n".join((disposition, *headers)) + b"\r\n\r\n" + PNG


def named(filename: bytes) -> bytes:
    """Write the part of an image with this file name, as it stands."""
    return part(b'Content-Disposition: form-data; name="file"; filename=' + filename)


def large_headers(header: bytes) -> bytes:
    """Write as many headers as an upload holds, 16 KB of them in each part."""
    head = (header + b"\r\n") * (16_000 // (len(header) + 2))
    return form(*[head + b"\r\n"] * (UPLOAD // (len(head) + 10)), part())


FORMS: Generators = {
    "file name that ends in a backslash": lambda: form(named(b'"C:\\dir\\"')),
    "file name of a backslash": lambda: form(named(b'"\\"')),
    "file name of backslashes": lambda: form(named(b'"' + b"\\" * 8_000 + b'"')),
    "file name of quotes": lambda: form(named(b'"' + b'\\"' * 4_000 + b'"')),
    "file name without its last quote": lambda: form(named(b'"d.png')),
    "file name in several languages": lambda: form(named('"\u4e03\u00e9\U0001f600.png"'.encode())),
    "file name in RFC 5987": lambda: form(named(b"\"d.png\"; filename*=UTF-8''%e4%b8%83.png")),
    "empty lines as headers": lambda: large_headers(b"a"),
    "headers of one letter": lambda: large_headers(b"a:b"),
    "headers of parameters": lambda: large_headers(b"Content-Disposition: form-data" + b";a=b" * 2_000),
    "headers of quotes": lambda: large_headers(b"Content-Disposition: form-data" + b';a="' * 2_000),
    "headers of backslashes": lambda: large_headers(b'Content-Disposition: form-data;a="' + b"\\" * 8_000),
    "headers of blanks": lambda: large_headers(b"Content-Disposition: form-data" + b" ;" * 4_000),
    "10,000 parts": lambda: form(*[b"a: b\r\n\r\n"] * 9_999, part()),
    "empty parts of 9.9 MB": lambda: b"--b\r\n\r\n\r\n" * (UPLOAD // 9) + END,
    "delimiters of 9.9 MB": lambda: b"\r\n--b" * (UPLOAD // 5),
    "almost delimiters of 9.9 MB": lambda: form(part() + b"\r\n--" * (UPLOAD // 4 - 1_000)),
    "line breaks of 9.9 MB": lambda: b"\r\n" * (UPLOAD // 2),
    "dashes of 9.9 MB": lambda: b"-" * UPLOAD,
    "preamble of 9.9 MB": lambda: b"x" * (UPLOAD - 10_000) + b"\r\n" + form(part()),
    "epilogue of 9.9 MB": lambda: form(part()) + b"x" * (UPLOAD - 10_000),
    "text field of 9.9 MB": lambda: form(
        b'Content-Disposition: form-data; name="t"\r\n\r\n' + b"x" * (UPLOAD - 10_000), part()
    ),
    "form of one line": lambda: b"--b--",
    "no closing delimiter": lambda: form(part())[: -len(END)],
}
