"""Claims about inputs that hypothesis draws. Unlike the targets, they know what a well-formed input must give."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from service.web import json_image, multipart
from tests.fuzz import oracles, targets
from tests.fuzz.strategies import PICTURES, Document, Form, corrupted_pictures, documents, forms


@given(PICTURES | corrupted_pictures())
def picture_is_decoded_or_rejected(image: bytes) -> None:
    """Decode any image or raise ImageError."""
    targets.decode(image)


@given(forms())
def form_is_parsed_as_it_was_written(form: Form) -> None:
    """Return the parts that were written, as python-multipart does."""
    for body in (form.body, bytearray(form.body)):
        parts = multipart.parse(form.boundary, body)
        assert [(part.name, part.filename, bytes(part.content)) for part in parts] == form.parts
    expected = oracles.parts_of_form(form.boundary, form.body)
    assert expected is not None
    assert [content for _, content in expected] == [content for _, _, content in form.parts]


@given(documents())
def image_of_a_document_is_found(document: Document) -> None:
    """Return the image at the top level of a document, whatever else it holds."""
    for body in (document.body, bytearray(document.body)):
        assert json_image.decode(body, "image") == document.image


@given(st.integers(0, 5), PICTURES | corrupted_pictures() | forms().map(lambda form: form.body))
def request_is_answered(route: int, body: bytes) -> None:
    """Respond to any image or form at any route with 200 or 400."""
    targets.app(bytes((route,)) + body)


PROPERTIES: dict[str, Callable[[], None]] = {
    "images": picture_is_decoded_or_rejected,
    "forms": form_is_parsed_as_it_was_written,
    "documents": image_of_a_document_is_found,
    "requests": request_is_answered,
}
