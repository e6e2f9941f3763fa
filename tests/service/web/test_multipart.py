"""A multipart body is parsed into the parts that it was written from, and an incomplete one is rejected."""

import email
import email.policy

import numpy as np
import pytest

from service.errors import RequestError
from service.imaging.buffers import Buffer
from service.web.multipart import MAX_ALL_HEADER_BYTES, MAX_PART_HEADER_BYTES, MAX_PARTS, parse

BOUNDARY = b"b"


def write_form(*parts: tuple[str, bytes], boundary: bytes = BOUNDARY) -> bytes:
    """Write a body from the headers and the content of each part."""
    delimiter = b"\r\n--" + boundary
    written = (delimiter + b"\r\n" + headers.encode() + b"\r\n\r\n" + content for headers, content in parts)
    return b"".join(written)[2:] + delimiter + b"--"


def parse_whole(body: bytes) -> list[tuple[bytes, bytes | None, str, Buffer]]:
    """Parse a body into names, file names, types and contents."""
    return [(part.name, part.filename, part.content_type, part.content) for part in parse(BOUNDARY, body)]


def disposition(parameters: str) -> str:
    return f"Content-Disposition: form-data; {parameters}"


@pytest.mark.parametrize("seed", range(40))
def test_random_forms_agree_with_the_standard_library(seed: int) -> None:
    """Agree with `email` on random bytes, including line breaks and dashes, under a random boundary."""
    rng = np.random.default_rng(seed)
    boundary = b"-" * int(rng.integers(0, 30)) + f"x{rng.integers(10**9)}".encode()
    contents = [
        bytes(rng.choice([0, 10, 13, 45, 97, 120, 255], int(rng.integers(0, 60))).astype(np.uint8)) for _ in range(3)
    ]
    named = [(disposition(f'name="f{n}"; filename="{n}.png"'), content) for n, content in enumerate(contents)]
    body = write_form(*named, boundary=boundary)
    header = b"Content-Type: multipart/form-data; boundary=" + boundary + b"\r\n\r\n"
    oracle = email.message_from_bytes(header + body, policy=email.policy.HTTP)
    parts = parse(boundary, body)
    assert [part.content for part in parts] == contents
    assert [part.filename for part in parts] == [part.get_filename("").encode() for part in oracle.iter_parts()]


@pytest.mark.parametrize(
    ("parameters", "name", "filename"),
    [
        ('name="file"; filename="d.png"', b"file", b"d.png"),
        ("name=file; filename=d.png", b"file", b"d.png"),
        ('filename="a;name=x.png" ;  name = "file"', b"file", b"a;name=x.png"),
        (r'name="a\"b"; filename="C:\d.png"', b'a"b', rb"C:\d.png"),
        ("name=\"file\"; filename*=UTF-8''%e2%82%ac.png", b"file", b"UTF-8''%e2%82%ac.png"),
        ('NAME="file"; FileName=""', b"file", b""),
        ('name="file"', b"file", None),
        ("name=", b"", None),
        ("name=file; filename=", b"file", b""),
        ("name=my file ; filename= d.png ", b"my file", b"d.png"),
        (r'name="file"; filename="C:\dir\"', b"file", b"C:\\dir\\"),
        (r'name="file"; filename="\"', b"file", b"\\"),
        (r'name="file"; filename="a\\"', b"file", b"a\\"),
        (r'name="file"; filename="a\"b\\c.png"', b"file", b'a"b\\c.png'),
    ],
)
def test_names_are_parsed_quoted_or_not(parameters: str, name: bytes, filename: bytes | None) -> None:
    """Parse name and file name in any order and case, quoted or not."""
    (part,) = parse(BOUNDARY, write_form((disposition(parameters), b"x")))
    assert (part.name, part.filename) == (name, filename)


def test_text_around_the_form_is_ignored() -> None:
    """Ignore a preamble, an epilogue and blanks after the boundary. Header names may be in any case."""
    headers = b"content-TYPE:image/png\r\nContent-disposition: form-data;name=f"
    body = b"preamble\r\n--b \t\r\n" + headers + b"\r\n\r\nx\r\n--b--\r\nepilogue"
    assert parse_whole(body) == [(b"f", None, "image/png", b"x")]


@pytest.mark.parametrize("body", [b"--b--", b"--b--\r\n", b"preamble\r\n--b--epilogue"])
def test_form_without_parts_is_complete(body: bytes) -> None:
    """Parse a closing boundary alone as no parts."""
    assert parse(BOUNDARY, body) == []


def test_part_without_headers_is_text_without_a_name() -> None:
    """Parse a part that starts with an empty line."""
    assert parse_whole(b"--b\r\n\r\nx\r\n--b--") == [(b"", None, "", b"x")]


def test_part_is_cut_out_of_a_bytearray() -> None:
    """Return the content in the same memory, without the rest of the body."""
    body = bytearray(write_form((disposition("name=a"), b"first"), (disposition("name=b"), b"second")))
    content = parse(BOUNDARY, body)[1].cut_out()
    assert content is body
    assert body == b"second"


def test_limits_are_inclusive() -> None:
    """Accept MAX_PARTS parts, and headers of MAX_PART_HEADER_BYTES bytes."""
    assert len(parse(BOUNDARY, write_form(*[("a: b", b"")] * MAX_PARTS))) == MAX_PARTS
    headers = "a: " + "b" * (MAX_PART_HEADER_BYTES - len("\r\na: "))
    assert parse_whole(write_form((headers, b"x"))) == [(b"", None, "", b"x")]
    with pytest.raises(RequestError, match="has no valid headers"):
        parse(BOUNDARY, write_form((headers + "b", b"x")))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "ends before its closing boundary"),
        (b"--b", "ends before its closing boundary"),
        (write_form(("a: b", b"x"))[:-4], "ends before its closing boundary"),
        (b"--b\r\nno end of headers\r\n--b--", "has no valid headers"),
        (b"--bc\r\n\r\n\r\nx\r\n--b--", "has no valid headers"),
        (write_form(*[("a: b", b"")] * (MAX_PARTS + 1)), f"has more than {MAX_PARTS} parts"),
        (b"\r\n--b" * 1_000_000, f"has more than {MAX_PARTS} parts"),
        (write_form(*[("a: " + "b" * 16_000, b"")] * 66), f"have more than {MAX_ALL_HEADER_BYTES} bytes"),
    ],
)
def test_malformed_body_is_rejected_with_its_reason(body: bytes, detail: str) -> None:
    """Reject an incomplete body, a part without headers, and too many parts."""
    with pytest.raises(RequestError, match=detail):
        parse(BOUNDARY, body)


def test_missing_boundary_is_rejected() -> None:
    """Reject a form whose Content-Type has no boundary."""
    with pytest.raises(RequestError, match="has no boundary"):
        parse(b"", write_form(("a: b", b"x")))
