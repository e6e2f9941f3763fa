"""The JSON document of an inference request.

The data of a tensor is cut out of it before the rest is parsed, so that long data costs one pass over its bytes and no
objects.
"""

import json
import re
from itertools import islice
from typing import Any

from service.errors import RequestError
from service.imaging.buffers import Buffer, keep_ranges
from service.web.json_image import MAX_DOCUMENT_BYTES, MAX_STRINGS, check_escapes

MAX_RUNS = 8_194
"""Strings, and the brackets and commas between them, in the data of the largest batch that a setting allows."""

DATA = re.compile(
    rb'"data"\s*+:\s*+(\[(?:[\[\],\d.eE+\-\s]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"(?=\s*+[\],])){0,%d}+)' % MAX_RUNS, re.DOTALL
)
"""An array of numbers or strings at key `data`, with the comma behind it. A string before a colon is the next key."""

PLACEHOLDER = "\0data"
ESCAPED_PLACEHOLDER = b'"\\u0000data"'
"""Stands in the document for the array that was cut out."""


class Document:
    """A parsed document. content: its object, with PLACEHOLDER at the place of the longest data."""

    def __init__(self, text: Buffer) -> None:
        """Parse the text. Raises RequestError if it is not a JSON object, or too long without the data."""
        check_escapes(text, "image")
        self._text = text
        self._start, self._end = _find_data(text)
        self.content = self._parse()

    def data_text(self, value: Any) -> Buffer:
        """Return the JSON text of an array at key `data`, whose value in `content` is given. Call it once.

        A bytearray is changed in place.
        """
        if value == PLACEHOLDER:
            return keep_ranges(self._text, [(self._start, self._end)])
        return json.dumps(value).encode()  # short, or at a key with escapes

    def _parse(self) -> dict[str, Any]:
        size = len(self._text) - (self._end - self._start)
        if size > MAX_DOCUMENT_BYTES:
            raise RequestError(
                f"The JSON document has {size} bytes without the data of its longest tensor, and {MAX_DOCUMENT_BYTES}"
                " are allowed. Send one input with an array of numbers or strings as its data."
            )
        rest = self._text
        if self._end:
            rest = self._text[: self._start] + ESCAPED_PLACEHOLDER + self._text[self._end :]
        try:
            content = json.loads(rest)
        except (ValueError, RecursionError) as error:
            raise RequestError("The body is not valid JSON. Send a request of the Open Inference Protocol.") from error
        if not isinstance(content, dict):
            raise RequestError("The body is not a JSON object. Send a request of the Open Inference Protocol.")
        return content


def _find_data(text: Buffer) -> tuple[int, int]:
    """Return start and end of the longest array at a key `data`; (0, 0) if there is none."""
    spans = (match.span(1) for match in islice(DATA.finditer(text), MAX_STRINGS))
    arrays = [(start, last + 1) for start, end in spans if (last := text.rfind(b"]", start, end)) >= 0]
    return max(arrays, key=lambda span: span[1] - span[0], default=(0, 0))
