"""A form is taken apart as it was put together, and one that is not whole is an error."""

import email
import email.policy
import time

import numpy as np
import pytest

from service.errors import RequestError
from service.multipart import MAX_HEAD, MAX_PARTS, Part, parse

TYPE = "multipart/form-data; boundary=b"


def form(*parts: tuple[str, bytes], boundary: str = "b") -> bytes:
    """Each part's headers, without the last line's end, and its content."""
    line = b"\r\n--" + boundary.encode()
    return (
        b"".join(line + b"\r\n" + head.encode() + b"\r\n\r\n" + content for head, content in parts)[2:] + line + b"--"
    )


def disposition(rest: str) -> str:
    return f"Content-Disposition: form-data; {rest}"


@pytest.mark.parametrize("seed", range(40))
def test_random_forms_are_read_as_the_standard_library_reads_them(seed: int) -> None:
    """Any bytes, line ends and dashes among them, under any boundary."""
    rng = np.random.default_rng(seed)
    boundary = "-" * int(rng.integers(0, 30)) + f"x{rng.integers(10**9)}"
    contents = [
        bytes(rng.choice([0, 10, 13, 45, 97, 120, 255], int(rng.integers(0, 60))).astype(np.uint8)) for _ in "123"
    ]
    body = form(
        *((disposition(f'name="f{n}"; filename="{n}.png"'), c) for n, c in enumerate(contents)), boundary=boundary
    )
    head = f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n".encode()
    oracle = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    parts = parse(f'multipart/form-data; boundary="{boundary}"', body)
    assert [part.content for part in parts] == contents
    assert [part.filename for part in parts] == [name.get_filename("").encode() for name in oracle.iter_parts()]


@pytest.mark.parametrize(
    ("rest", "name", "filename"),
    [
        ('name="file"; filename="d.png"', b"file", b"d.png"),
        ("name=file; filename=d.png", b"file", b"d.png"),
        ('filename="a;name=x.png" ;  name = "file"', b"file", b"a;name=x.png"),
        (r'name="a\"b"; filename="C:\d.png"', b'a"b', rb"C:\d.png"),
        ("name=\"file\"; filename*=UTF-8''%e2%82%ac.png", b"file", b"UTF-8''%e2%82%ac.png"),
        ('NAME="file"; FileName=""', b"file", b""),
        ('name="file"', b"file", None),
        ("name=", b"", None),
    ],
)
def test_names_are_read_however_they_are_written(rest: str, name: bytes, filename: bytes | None) -> None:
    """Quoted or not, in any order, with what quotes may hold."""
    (part,) = parse(TYPE, form((disposition(rest), b"x")))
    assert (part.name, part.filename) == (name, filename)


def test_a_part_has_its_type_and_text_around_the_form_is_ignored() -> None:
    """Header names in any case; a preamble and an epilogue; blanks after the boundary."""
    head = b"content-TYPE:image/png\r\nContent-disposition: form-data;name=f"
    body = b"preamble\r\n--b \t\r\n" + head + b"\r\n\r\nx\r\n--b--\r\nepilogue"
    assert parse(TYPE, body) == [Part(b"f", None, "image/png", b"x")]


def test_a_form_without_parts_is_whole() -> None:
    """Its closing boundary alone."""
    assert parse(TYPE, b"--b--\r\n") == []


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "ends before its closing boundary"),
        (form(("a: b", b"x"))[:-4], "ends before its closing boundary"),
        (b"--b\r\nno end of headers\r\n--b--", "has no proper headers"),
        (b"--bc\r\n\r\n\r\nx\r\n--b--", "has no proper headers"),
        (form(("a: " + "b" * MAX_HEAD, b"x")), "has no proper headers"),
        (form(*[("a: b", b"")] * (MAX_PARTS + 1)), f"has more than {MAX_PARTS} parts"),
        (b"\r\n--b" * 1_000_000, f"has more than {MAX_PARTS} parts"),
    ],
)
def test_what_is_no_whole_form_is_an_error(body: bytes, detail: str) -> None:
    """Each with its own sentence."""
    with pytest.raises(RequestError, match=detail):
        parse(TYPE, body)


@pytest.mark.parametrize("rest", [';a="' * 200_000, "; " * 400_000, ';a="\\' * 200_000, "a" * 800_000])
def test_no_header_takes_long(rest: str) -> None:
    """Ten times the length must not take a hundred times the time: bounded generously, in seconds."""
    started = time.thread_time()
    with pytest.raises(RequestError):
        parse(f"multipart/form-data{rest}", b"")
    assert time.thread_time() - started < 5
