"""A multipart/form-data body in memory as its parts. Nothing touches the disk: it may be read-only."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import RequestError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


@dataclass
class Part:
    """One part: `name` is the form field's; a text field has no `filename`; `content_type` may be empty."""

    name: bytes = b""
    filename: bytes | None = None
    content_type: str = ""
    content: bytearray = field(default_factory=bytearray)


def parse(content_type: str, body: bytes) -> list[Part]:
    """The parts in their order. Raises RequestError where the body is not whole."""
    _, options = parse_options_header(content_type)
    if not options.get(b"boundary"):
        raise RequestError("The multipart body has no boundary. Let your HTTP library set the Content-Type.")
    collector = _Collector()
    try:
        MultipartParser(options[b"boundary"], collector.callbacks()).write(body)
    except FormParserError as error:
        raise RequestError(f"The multipart body cannot be read ({error}). Let your HTTP library write it.") from error
    if not collector.ended:
        raise RequestError("The multipart body ends before its closing boundary. Send it again, whole.")
    return collector.parts


class _Collector:
    """What the parser calls, in the order of the bytes."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._key = bytearray()
        self._value = bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }

    def _on_part_begin(self) -> None:
        self.parts.append(Part())

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._key += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        part, key, value = self.parts[-1], bytes(self._key).lower(), bytes(self._value)
        if key == b"content-disposition":
            _, options = parse_options_header(value)
            part.name, part.filename = options.get(b"name", b""), options.get(b"filename")
        elif key == b"content-type":
            part.content_type = value.decode("latin-1")
        self._key.clear()
        self._value.clear()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += data[start:end]

    def _on_end(self) -> None:
        self.ended = True
