"""Get the images out of a multipart form."""

from service.errors import RequestError
from service.web import multipart
from service.web.content_type import ContentType
from service.web.multipart import Part


def image(boundary: bytes, body: bytes, field: str) -> bytes:
    """Return the file in a field that must occur once. Other fields are ignored.

    Raises RequestError if the form is malformed, or if the field is missing, repeated or not an image file.
    """
    parts = _parts(boundary, body, field)
    if len(parts) > 1:
        raise RequestError(f"Field '{field}' is there {len(parts)} times. Send one picture a request.")
    return _image(parts[0], field)


def images(boundary: bytes, body: bytes, field: str, max_count: int) -> list[bytes | RequestError]:
    """Return the files in a repeated field, in order. A part that is not an image file gives its error.

    Raises RequestError if the form is malformed, or if the field is missing or occurs more than `max_count` times.
    """
    parts = _parts(boundary, body, field)
    if len(parts) > max_count:
        raise RequestError(f"Field '{field}' is there {len(parts)} times. Send at most {max_count} pictures a request.")
    return [_image_or_error(part, field) for part in parts]


def _parts(boundary: bytes, body: bytes, field: str) -> list[Part]:
    """Return the parts of one field, at least one."""
    parts = [part for part in multipart.parse(boundary, body) if part.name == field.encode()]
    if not parts:
        raise RequestError(f"Field '{field}' is missing. Send the picture as multipart field '{field}'.")
    return parts


def _image(part: Part, field: str) -> bytes:
    if part.filename is None:
        raise RequestError(f"Field '{field}' is text. Send the picture as a file, with a file name.")
    ContentType.parse(part.content_type).check_image(part.content)
    return part.content


def _image_or_error(part: Part, field: str) -> bytes | RequestError:
    try:
        return _image(part, field)
    except RequestError as error:
        return error
