"""Training pictures are what people send, and come out as digits that can still be told apart."""

import numpy as np
import pytest

from export.data import Digits
from export.scenes import drawn, photographed, picture_of, plain
from export.strokes import FORMS, Form, write
from service.classifier import Classifier
from service.preprocess import standardise, to_canvas
from tests.pictures import SEVEN

INK = 255 - np.asarray(SEVEN.resize((28, 28)))


def test_pictures_are_of_both_polarities_and_many_sizes() -> None:
    """Light and dark paper, small canvases and large pages."""
    pictures = [picture_of(INK, np.random.default_rng(seed)) for seed in range(60)]
    papers = [np.median(picture[0]) for picture in pictures]
    assert min(papers) < 60
    assert max(papers) > 200
    sides = [max(picture.shape) for picture in pictures]
    assert min(sides) < 60
    assert max(sides) > 200


def test_most_pictures_bring_the_digit_back() -> None:
    """Through the service's own preprocessing; what light and dirt did to a few is what there is to learn."""
    expected = to_canvas(INK)
    close = 0
    for seed in range(100):
        canvas = to_canvas(picture_of(INK, np.random.default_rng(seed)))
        shifted = [np.roll(canvas, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        close += min(np.abs(other - expected).mean() for other in shifted) < 0.08
    assert close >= 90


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_as_its_digit(form: Form, classifier: Classifier) -> None:
    """In most of twenty unsteady hands: a form that a reader cannot tell is a form drawn wrong."""
    written = [write(form, np.random.default_rng(seed)) for seed in range(20)]
    answers = classifier.classify(np.stack([standardise(to_canvas(ink)) for ink in written]))
    assert sum(answer.digit == form.digit for answer in answers) >= 16


def test_examples_do_not_depend_on_the_number_of_processes() -> None:
    """Each has a generator of its own; another seed gives other pictures."""
    digits = Digits(np.repeat(INK[np.newaxis], 4, axis=0), np.full(4, 7))
    first, again, other = (photographed(digits, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_the_forms_that_mnist_lacks_are_drawn_as_often_as_they_say() -> None:
    """With their labels."""
    few = tuple(Form(form.digit, form.strokes, 2) for form in FORMS[:3])
    canvases, labels = drawn(0, few)
    assert canvases.shape == (6, 1, 28, 28)
    assert labels.tolist() == [1] * 6


def test_plain_digits_are_what_the_service_sees() -> None:
    """The one preprocessing."""
    digits = Digits(INK[np.newaxis], np.array([7]))
    assert np.array_equal(plain(digits)[0][0, 0], to_canvas(INK))
