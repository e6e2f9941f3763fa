"""Content-Type headers: parse them, and check that they declare an image."""

import re
from dataclasses import dataclass

from service.errors import RequestError
from service.imaging.buffers import Buffer
from service.imaging.decode import has_image_signature

IMAGE_TYPES = ("image/png", "image/jpeg", "image/jpg")
UNDECLARED_TYPES = ("", "application/octet-stream")
FORM_TYPE = "multipart/form-data"
JSON_TYPE = "application/json"

ADVICE = {
    JSON_TYPE: " Send base64 in JSON to /predict-base64.",
    "application/x-www-form-urlencoded": " Declare the type of the image (Content-Type: image/png), or send a form.",
}
"""What to do instead with bodies of other types. curl declares the second one unless it is told the type."""

MAX_ECHO = 100
"""Characters of a client's input that an error repeats."""

PARAMETER = re.compile(rb';\s*([\w*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*\\?)"|([^;"]*))', re.DOTALL)
"""`; name="value"` or `; name=value`. Browsers write the backslash that ends a file name as it is."""


@dataclass(frozen=True)
class ContentType:
    """A parsed header. media_type: in lower case, or empty. boundary: of a multipart body, or empty."""

    media_type: str
    boundary: bytes = b""

    @classmethod
    def parse(cls, header: str) -> "ContentType":
        """Parse a Content-Type header; an empty one declares nothing."""
        media_type = header.partition(";")[0].strip().lower()
        if media_type != FORM_TYPE:
            return cls(media_type)
        return cls(media_type, parse_parameters(header.encode("latin-1", "replace")).get(b"boundary", b""))

    @property
    def is_form(self) -> bool:
        """Return whether the body is multipart/form-data."""
        return self.media_type == FORM_TYPE

    def check_declares_image(self) -> None:
        """Raise RequestError if another type than PNG or JPEG is declared. No declared type is accepted."""
        if self.media_type not in IMAGE_TYPES and self.media_type not in UNDECLARED_TYPES:
            raise self._invalid()

    def check_image(self, image_bytes: Buffer) -> None:
        """Raise RequestError if the type is not declared and the bytes lack the signature of a PNG or JPEG file.

        Empty bytes pass: decoding them gives the better error.
        """
        self.check_declares_image()
        if self.media_type in UNDECLARED_TYPES and image_bytes and not has_image_signature(image_bytes):
            raise self._invalid()

    def _invalid(self) -> RequestError:
        shown = self.media_type[:MAX_ECHO].encode("ascii", "backslashreplace").decode() or "unknown"
        advice = ADVICE.get(self.media_type, "")
        return RequestError(f"Invalid file type: {shown}. Only JPEG and PNG are supported.{advice}")


def parse_parameters(header: bytes) -> dict[bytes, bytes]:
    """Parse the parameters after a header's first value: names in lower case, values unquoted and unescaped."""
    return {
        match[1].lower(): match[3].strip() if match[2] is None else _unescape(match[2])
        for match in PARAMETER.finditer(header)
    }


def _unescape(value: bytes) -> bytes:
    return value.replace(b"\\\\", b"\\").replace(b'\\"', b'"')
