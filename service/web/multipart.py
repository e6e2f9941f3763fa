"""Parse multipart/form-data bodies (RFC 7578) in memory. The file system may be read-only, so nothing is spooled."""

from dataclasses import dataclass

from service.errors import RequestError
from service.imaging.buffers import Buffer, keep_ranges
from service.web.content_type import parse_parameters

MAX_PARTS = 10_000
MAX_PART_HEADER_BYTES = 16_384
"""Size limit for the headers of one part."""

MAX_ALL_HEADER_BYTES = 1_048_576
"""Size limit for the headers of all parts."""


@dataclass(frozen=True)
class Part:
    """One part. name: the form field. filename: None for a text field. content_type: the header, may be empty.

    start, end: where its content lies in `body`.
    """

    name: bytes
    filename: bytes | None
    content_type: str
    body: Buffer
    start: int
    end: int

    @property
    def content(self) -> Buffer:
        """A copy of its content."""
        return self.body[self.start : self.end]

    def cut_out(self) -> Buffer:
        """Return its content; a bytearray is changed in place, and its other parts are lost."""
        return keep_ranges(self.body, [(self.start, self.end)])


def parse(boundary: bytes, body: Buffer) -> list[Part]:
    """Parse a body into its parts, in order. Raises RequestError if the boundary is empty or the body incomplete."""
    if not boundary:
        raise RequestError("The multipart body has no boundary. Let your HTTP library set the Content-Type.")
    parts, header_bytes = [], 0
    for start, end in _find_parts(b"\r\n--" + boundary, body):
        parts.append(_parse_part(body, start, end))
        header_bytes += parts[-1].start - start
        if header_bytes > MAX_ALL_HEADER_BYTES:
            raise RequestError(
                f"The headers in the multipart body have more than {MAX_ALL_HEADER_BYTES} bytes. Send fewer parts."
            )
    return parts


def _find_parts(delimiter: bytes, body: Buffer) -> list[tuple[int, int]]:
    """Return start and end of each part, including its headers."""
    spans: list[tuple[int, int]] = []
    first = -2 if body.startswith(delimiter[2:]) else _find(delimiter, body, 0)  # no line break at the body's start
    start = first + len(delimiter)
    while not body.startswith(b"--", start):
        if len(spans) == MAX_PARTS:
            raise RequestError(f"The multipart body has more than {MAX_PARTS} parts. Send fewer.")
        end = _find(delimiter, body, start)
        spans.append((start, end))
        start = end + len(delimiter)
    return spans


def _find(delimiter: bytes, body: Buffer, start: int) -> int:
    index = body.find(delimiter, start)
    if index < 0:
        raise RequestError("The multipart body ends before its closing boundary. Send it again, whole.")
    return index


def _parse_part(body: Buffer, start: int, end: int) -> Part:
    """Parse one part: the rest of the delimiter's line, headers, an empty line, content."""
    header_end = body.find(b"\r\n\r\n", start, end)
    if not 0 <= header_end - start <= MAX_PART_HEADER_BYTES:
        raise _invalid_headers()
    head = bytes(body[start:header_end]).lstrip(b" \t")
    if head and not head.startswith(b"\r\n"):
        raise _invalid_headers()
    fields = (line.partition(b":") for line in head.split(b"\r\n"))
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    disposition = parse_parameters(headers.get(b"content-disposition", b""))
    return Part(
        name=disposition.get(b"name", b""),
        filename=disposition.get(b"filename", disposition.get(b"filename*")),
        content_type=headers.get(b"content-type", b"").decode("latin-1"),
        body=body,
        start=header_end + 4,
        end=end,
    )


def _invalid_headers() -> RequestError:
    return RequestError("A part of the multipart body has no valid headers. Let your HTTP library write it.")
