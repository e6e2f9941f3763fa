"""Get the images out of a multipart form."""

from service.errors import RequestError
from service.imaging.buffers import Buffer
from service.imaging.decode import has_image_signature
from service.web import multipart
from service.web.content_type import IMAGE_TYPES, ContentType
from service.web.multipart import Part

SIGNATURE_BYTES = 8
"""Enough of a file to tell its type."""


def find_image(boundary: bytes, body: Buffer, field: str) -> Buffer:
    """Return the file in a field that must occur once. Other fields are ignored.

    Raises RequestError if the form is malformed, or if the field is missing, repeated or not an image file.
    """
    parts = _parts(boundary, body, field)
    if len(parts) > 1:
        raise RequestError(f"Field '{field}' occurs {len(parts)} times. Send one image per request.")
    _check_image(parts[0], field)
    return parts[0].cut_out()


def find_images(boundary: bytes, body: Buffer, field: str, max_count: int) -> list[Buffer | RequestError]:
    """Return the files in a repeated field, in order. A part that is not an image file gives its error.

    Raises RequestError if the form is malformed, or if the field is missing, occurs more than `max_count` times, or
    holds no file at all.
    """
    parts = _parts(boundary, body, field)
    if len(parts) > max_count:
        raise RequestError(f"Field '{field}' occurs {len(parts)} times. Send at most {max_count} images per request.")
    if not any(_is_file(part) for part in parts):
        raise _text_error(field)
    return [_image_or_error(part, field) for part in parts]


def _parts(boundary: bytes, body: Buffer, field: str) -> list[Part]:
    """Return the parts of one field, at least one."""
    parts = [part for part in multipart.parse(boundary, body) if part.name == field.encode()]
    if not parts:
        raise RequestError(f"Field '{field}' is missing. Send the image as multipart field '{field}'.")
    return parts


def _check_image(part: Part, field: str) -> None:
    if not _is_file(part):
        raise _text_error(field)
    ContentType.parse(part.content_type).check_image(_signature(part))


def _is_file(part: Part) -> bool:
    """Return whether a part has a file name, or declares and holds an image: some libraries leave out the name."""
    if part.filename is not None:
        return True
    return ContentType.parse(part.content_type).media_type in IMAGE_TYPES and has_image_signature(_signature(part))


def _signature(part: Part) -> Buffer:
    return part.body[part.start : min(part.end, part.start + SIGNATURE_BYTES)]


def _text_error(field: str) -> RequestError:
    return RequestError(f"Field '{field}' is text. Send the image as a file, with a file name.")


def _image_or_error(part: Part, field: str) -> Buffer | RequestError:
    try:
        _check_image(part, field)
    except RequestError as error:
        return error
    return part.content
