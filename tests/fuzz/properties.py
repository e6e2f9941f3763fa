"""Claims about inputs that hypothesis draws. Unlike the targets, they know what a well-formed input must give."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from service.web import json_image, multipart
from service.web.openinference_request import parse_request
from tests.fuzz import oracles, targets
from tests.fuzz.crash_files import write
from tests.fuzz.strategies import PICTURES, Document, Form, Inference, corrupted_pictures, documents, forms, inferences


def decode(picture: bytes) -> None:
    """Decode any picture or raise ImageError."""
    targets.decode(picture)


def form(written: Form) -> None:
    """Return the parts of a form that were written, as python-multipart does."""
    for body in (written.body, bytearray(written.body)):
        parts = multipart.parse(written.boundary, body)
        assert [(part.name, part.filename, bytes(part.content)) for part in parts] == written.parts
    expected = oracles.parts_of_form(written.boundary, written.body)
    assert expected is not None
    assert [content for _, content in expected] == [content for _, _, content in written.parts]


def document(written: Document) -> None:
    """Return the image at the top level of a document, whatever else it holds."""
    for body in (written.body, bytearray(written.body)):
        assert json_image.decode(body, "image") == written.image


def inference(written: Inference) -> None:
    """Return the numbers or files of an inference request, whatever else it holds."""
    for body in (written.body, bytearray(written.body)):
        images = parse_request(body, "", targets.MAX_BATCH).images
        assert (images if isinstance(images, list) else images.tolist()) == written.images


def app(route: int, body: bytes) -> None:
    """Respond to any picture or form at any route with 200 or 400."""
    targets.app(bytes((route,)) + body)


@dataclass(frozen=True)
class Property:
    """A claim, the strategies that draw its inputs, and how its target takes the same input."""

    claim: Callable[..., None]
    strategies: tuple[SearchStrategy[Any], ...]
    target_input: Callable[..., bytes]


PROPERTIES = {
    "decode": Property(decode, (PICTURES | corrupted_pictures(),), lambda picture: picture),
    "form": Property(form, (forms(),), lambda written: b'; boundary="' + written.boundary + b'"\n' + written.body),
    "document": Property(document, (documents(),), lambda written: written.body),
    "inference": Property(inference, (inferences(),), lambda written: written.body),
    "app": Property(
        app,
        (
            st.integers(0, len(targets.ROUTES) - 1),
            PICTURES | corrupted_pictures() | forms().map(lambda written: written.body),
        ),
        lambda route, body: bytes((route,)) + body,
    ),
}


class Run:
    """Checks a property. count: of its inputs so far. failing: the last input that broke the claim, the simplest."""

    def __init__(self, tested: Property) -> None:
        self._tested = tested
        self.count = 0
        self.failing: bytes | None = None

    def check(self, inputs: tuple[Any, ...]) -> None:
        """Check one input."""
        self.count += 1
        try:
            self._tested.claim(*inputs)
        except Exception:
            self.failing = self._tested.target_input(*inputs)
            raise


def run_property(name: str, examples: int, *, derandomize: bool = False) -> int:
    """Check a property with new examples, or always the same ones, and count them. Keep an input that breaks it."""
    run = Run(PROPERTIES[name])
    # A function can be given to hypothesis only once, so each run gives it a new one.
    check = given(st.tuples(*PROPERTIES[name].strategies))(lambda inputs: run.check(inputs))
    options = settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        options(check)()
    except Exception:
        if run.failing is not None:
            write(name, run.failing)
        raise
    return run.count
