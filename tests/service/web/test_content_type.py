"""A Content-Type header is parsed once, and images are checked against it."""

import time

import pytest

from service.errors import RequestError
from service.web.content_type import MAX_ECHO, ContentType
from tests.images import SEVEN, encode

PNG = encode(SEVEN)
GIF = encode(SEVEN, "GIF")


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("", ""),
        ("image/png", "image/png"),
        (" Image/PNG ; q=1", "image/png"),
        ("IMAGE/JPEG;charset=binary", "image/jpeg"),
        ("image/png; boundary=b", "image/png"),
    ],
)
def test_media_type_is_lower_case_without_parameters(header: str, media_type: str) -> None:
    """Parse the media type in lower case. Only a form has a boundary."""
    assert ContentType.parse(header) == ContentType(media_type, b"")
    assert not ContentType.parse(header).is_form


@pytest.mark.parametrize(
    ("parameters", "boundary"),
    [
        ("; boundary=b", b"b"),
        (";boundary=b", b"b"),
        ('; boundary="a b;c"', b"a b;c"),
        (r'; boundary="a\"b"', b'a"b'),
        ("; BOUNDARY = b ", b"b"),
        ("; charset=klingon; boundary=b; x=y", b"b"),
        ("; boundary=\u20ac", b"?"),
        ("", b""),
        ("; boundary=", b""),
    ],
)
def test_form_has_a_boundary(parameters: str, boundary: bytes) -> None:
    """Parse the boundary of a form, quoted or not, among other parameters."""
    content_type = ContentType.parse("Multipart/Form-Data" + parameters)
    assert content_type.is_form
    assert content_type.boundary == boundary


@pytest.mark.parametrize("declared", ["image/png", "image/jpeg", "image/jpg", "Image/PNG; q=1"])
@pytest.mark.parametrize("content", [PNG, GIF, b""])
def test_declared_image_is_accepted(declared: str, content: bytes) -> None:
    """Accept any bytes under a supported type. Decoding them gives the better error."""
    content_type = ContentType.parse(declared)
    content_type.check_declares_image()
    content_type.check_image(content)


@pytest.mark.parametrize("declared", ["", "application/octet-stream"])
def test_undeclared_image_is_accepted_by_its_signature(declared: str) -> None:
    """Accept bytes without a declared type if they start as a PNG or JPEG file does, or are empty."""
    content_type = ContentType.parse(declared)
    content_type.check_declares_image()
    for content in (PNG, encode(SEVEN, "JPEG"), b""):
        content_type.check_image(content)
    with pytest.raises(RequestError, match=f"Invalid file type: {declared or 'unknown'}. Only JPEG and PNG"):
        content_type.check_image(GIF)


@pytest.mark.parametrize("declared", ["image/gif", "image/webp", "text/plain", "multipart/form-data", "image", "/"])
def test_other_type_is_rejected_whatever_the_bytes_are(declared: str) -> None:
    """Reject any other declared type, even for the bytes of a PNG file, and name it."""
    content_type = ContentType.parse(declared)
    for check in (content_type.check_declares_image, lambda: content_type.check_image(PNG)):
        with pytest.raises(RequestError, match=f"Invalid file type: {declared}. Only JPEG and PNG are supported."):
            check()


@pytest.mark.parametrize(
    ("declared", "advice"),
    [
        ("application/json; charset=utf-8", r"Send base64 in JSON to /predict-base64\."),
        (
            "application/x-www-form-urlencoded",
            r"Declare the type of the image \(Content-Type: image/png\), or send a form\.",
        ),
    ],
)
def test_common_mistakes_get_advice(declared: str, advice: str) -> None:
    """Name the route that reads JSON, and what curl needs to be told."""
    with pytest.raises(RequestError, match=rf"supported\. {advice}$"):
        ContentType.parse(declared).check_declares_image()


@pytest.mark.parametrize(
    ("declared", "shown"), [("x" * 9_000, "x" * MAX_ECHO), ("caf\u00e9", "caf\\xe9"), ("\ud800", "\\ud800")]
)
def test_error_repeats_little_of_the_type(declared: str, shown: str) -> None:
    """Repeat at most MAX_ECHO characters of a declared type, in ASCII."""
    with pytest.raises(RequestError) as raised:
        ContentType.parse(declared).check_declares_image()
    assert str(raised.value).startswith(f"Invalid file type: {shown}. Only")


@pytest.mark.parametrize("parameters", [';a="' * 200_000, "; " * 400_000, ';a="\\' * 200_000, "a" * 800_000])
def test_long_headers_are_parsed_in_linear_time(parameters: str) -> None:
    """Parse 800,000 characters of parameters within five seconds; quadratic time would take minutes."""
    started = time.thread_time()
    ContentType.parse(f"multipart/form-data{parameters}")
    assert time.thread_time() - started < 5
