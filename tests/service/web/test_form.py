"""Images are taken from the named field of a form; anything else in that field is rejected and named."""

import pytest

from service.errors import RequestError
from service.web import form
from tests.images import SEVEN, encode

PNG = encode(SEVEN)
GIF = encode(SEVEN, "GIF")
BOUNDARY = b"b"


def part(field: str, content: bytes, filename: str | None = "d.png", content_type: str | None = None) -> bytes:
    """Write one part, with its delimiter."""
    headers = f'--b\r\nContent-Disposition: form-data; name="{field}"'
    headers += f'; filename="{filename}"' if filename is not None else ""
    headers += f"\r\nContent-Type: {content_type}" if content_type is not None else ""
    return headers.encode() + b"\r\n\r\n" + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


@pytest.mark.parametrize("content_type", [None, "", "image/png", "IMAGE/PNG; q=1", "application/octet-stream"])
@pytest.mark.parametrize("filename", ["d.png", ""])
def test_image_is_returned_as_it_was_sent(content_type: str | None, filename: str) -> None:
    """Return the bytes of the field's file, with or without a declared type, under any file name."""
    assert form.find_image(BOUNDARY, body(part("file", PNG, filename, content_type)), "file") == PNG


def test_image_without_a_file_name_is_a_file() -> None:
    """Return an image that a library sends without a file name, if its type is declared."""
    assert form.find_image(BOUNDARY, body(part("file", PNG, None, "image/png")), "file") == PNG
    assert form.find_images(BOUNDARY, body(part("files", PNG, None, "image/png")), "files", 1) == [PNG]


def test_texts_alone_are_no_batch() -> None:
    """Reject a form whose field holds only texts: none of them was meant as a file."""
    texts = part("files", b"7", None), part("files", b"{}", None, "image/png")
    with pytest.raises(RequestError, match="Field 'files' is text"):
        form.find_images(BOUNDARY, body(*texts), "files", 2)


def test_other_fields_are_ignored() -> None:
    """Ignore texts and files in other fields."""
    others = part("a", b"text", None), part("b", GIF, content_type="image/gif")
    assert form.find_image(BOUNDARY, body(*others, part("file", PNG), *others), "file") == PNG
    assert form.find_images(BOUNDARY, body(*others, part("file", PNG), *others), "file", 1) == [PNG]


@pytest.mark.parametrize(
    ("parts", "detail"),
    [
        ([], "Field 'file' is missing. Send the image as multipart field 'file'."),
        ([part("image", PNG)], "Field 'file' is missing. Send the image as multipart field 'file'."),
        ([part("file", PNG, None)], "Field 'file' is text. Send the image as a file, with a file name."),
        ([part("file", GIF, None, "image/png")], "Field 'file' is text. Send the image as a file, with a file name."),
        ([part("file", PNG)] * 2, "Field 'file' occurs 2 times. Send one image per request."),
        ([part("file", PNG, "d.gif", "image/gif")], "Invalid file type: image/gif. Only JPEG and PNG are supported."),
        ([part("file", GIF)], "Invalid file type: unknown. Only JPEG and PNG are supported."),
    ],
)
def test_form_without_exactly_one_image_is_rejected(parts: list[bytes], detail: str) -> None:
    """Name the field that is missing, repeated or text, or the type that is not supported."""
    with pytest.raises(RequestError) as raised:
        form.find_image(BOUNDARY, body(*parts), "file")
    assert str(raised.value) == detail


def test_images_keep_their_order_and_their_errors() -> None:
    """Return the files of a repeated field in order. A part that is not an image file gives its error."""
    jpeg = encode(SEVEN, "JPEG")
    parts = part("files", PNG), part("files", GIF, "d.gif", "image/gif"), part("files", b"7", None), part("files", jpeg)
    first, gif, text, last = form.find_images(BOUNDARY, body(*parts), "files", 4)
    assert (first, last) == (PNG, jpeg)
    assert str(gif) == "Invalid file type: image/gif. Only JPEG and PNG are supported."
    assert str(text) == "Field 'files' is text. Send the image as a file, with a file name."


@pytest.mark.parametrize(
    ("parts", "detail"),
    [
        ([], "Field 'files' is missing. Send the image as multipart field 'files'."),
        ([part("files", PNG)] * 3, "Field 'files' occurs 3 times. Send at most 2 images per request."),
    ],
)
def test_number_of_images_is_limited(parts: list[bytes], detail: str) -> None:
    """Reject a form without images or with more than the limit."""
    with pytest.raises(RequestError) as raised:
        form.find_images(BOUNDARY, body(*parts), "files", 2)
    assert str(raised.value) == detail
