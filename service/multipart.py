"""A multipart/form-data body (RFC 7578) in memory as its parts. Nothing touches the disk: it may be read-only."""

import re
from dataclasses import dataclass

from service.errors import RequestError

MAX_PARTS = 10_000
MAX_HEAD = 16_384
"""Bytes that the headers of one part may take."""

OPTION = re.compile(rb';\s*([\w*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))', re.DOTALL)
"""`; name="value"` or `; name=value`."""


@dataclass(frozen=True)
class Part:
    """One part: `name` is the form field's; a text field has no `filename`; `content_type` may be empty."""

    name: bytes
    filename: bytes | None
    content_type: str
    content: bytes


def parse(content_type: str, body: bytes) -> list[Part]:
    """The parts in their order. Raises RequestError where the body is not whole."""
    boundary = _options(content_type.encode("latin-1", "replace")).get(b"boundary")
    if not boundary:
        raise RequestError("The multipart body has no boundary. Let your HTTP library set the Content-Type.")
    _, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 1)
    closing = next((place for place, piece in enumerate(pieces) if piece.startswith(b"--")), None)
    if closing is None and len(pieces) > MAX_PARTS:
        raise RequestError(f"The multipart body has more than {MAX_PARTS} parts. Send fewer.")
    if closing is None:
        raise RequestError("The multipart body ends before its closing boundary. Send it again, whole.")
    return [_part(piece) for piece in pieces[:closing]]


def _part(piece: bytes) -> Part:
    """What stands between two boundaries: the end of a line, headers, an empty line, content."""
    head, end, content = piece.lstrip(b" \t").partition(b"\r\n\r\n")
    if not end or not (head + end).startswith(b"\r\n") or len(head) > MAX_HEAD:
        raise RequestError("A part of the multipart body has no proper headers. Let your HTTP library write it.")
    headers = {key.strip().lower(): value.strip() for key, _, value in (h.partition(b":") for h in head.split(b"\r\n"))}
    disposition = _options(headers.get(b"content-disposition", b""))
    return Part(
        name=disposition.get(b"name", b""),
        filename=disposition.get(b"filename", disposition.get(b"filename*")),
        content_type=headers.get(b"content-type", b"").decode("latin-1"),
        content=content,
    )


def _options(header: bytes) -> dict[bytes, bytes]:
    """What follows the first word of a header: names in lower case, quotes and escapes undone."""
    return {
        found[1].lower(): found[3] if found[2] is None else found[2].replace(b'\\"', b'"')
        for found in OPTION.finditer(header)
    }
