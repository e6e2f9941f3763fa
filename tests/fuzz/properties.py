"""Claims about inputs that hypothesis draws. Unlike the targets, they know what a well-formed input must give."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.web import json_image, multipart
from tests.fuzz import oracles, targets
from tests.fuzz.strategies import PICTURES, Document, Form, corrupted_pictures, documents, forms

counts: dict[str, int] = {}
"""How many inputs each property has seen."""


def counted(claim: Callable[..., None]) -> Callable[..., None]:
    """Count the inputs of a property."""

    @wraps(claim)
    def count_and_check(**inputs: Any) -> None:
        counts[claim.__name__] = counts.get(claim.__name__, 0) + 1
        claim(**inputs)

    return count_and_check


@given(PICTURES | corrupted_pictures())
@counted
def decode(picture: bytes) -> None:
    """Decode any picture or raise ImageError."""
    targets.decode(picture)


@given(forms())
@counted
def form(written: Form) -> None:
    """Return the parts of a form that were written, as python-multipart does."""
    for body in (written.body, bytearray(written.body)):
        parts = multipart.parse(written.boundary, body)
        assert [(part.name, part.filename, bytes(part.content)) for part in parts] == written.parts
    expected = oracles.parts_of_form(written.boundary, written.body)
    assert expected is not None
    assert [content for _, content in expected] == [content for _, _, content in written.parts]


@given(documents())
@counted
def document(written: Document) -> None:
    """Return the image at the top level of a document, whatever else it holds."""
    for body in (written.body, bytearray(written.body)):
        assert json_image.decode(body, "image") == written.image


@given(st.integers(0, 5), PICTURES | corrupted_pictures() | forms().map(lambda written: written.body))
@counted
def app(route: int, body: bytes) -> None:
    """Respond to any picture or form at any route with 200 or 400."""
    targets.app(bytes((route,)) + body)


PROPERTIES: dict[str, Callable[[], None]] = {"decode": decode, "form": form, "document": document, "app": app}


def run_property(name: str, examples: int, *, derandomize: bool = False) -> int:
    """Check a property with new examples, or always the same ones, and count them."""
    before = counts.get(name, 0)
    settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )(PROPERTIES[name])()
    return counts[name] - before
