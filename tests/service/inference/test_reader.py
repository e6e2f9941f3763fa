"""A doubtful image is read from its alternatives; an empty one is rejected; no confidence comes out of nothing."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from service.errors import ImageError
from service.inference.classifier import Classifier, Prediction
from service.inference.number import shows_several
from service.inference.predictor import Predictor
from service.inference.reader import reconsider
from service.inference.reading import MIN_SURE
from tests.images import DIGIT, SEVEN, encode, half_inverted, png
from tests.service.imaging.test_alternatives import IMAGES

Y, X = np.mgrid[-1:1:240j, -1:1:240j]


@pytest.fixture(scope="module")
def predictor(classifier: Classifier) -> Predictor:
    return Predictor(classifier, 50_000_000)


@pytest.mark.parametrize("name", IMAGES)
def test_mishap_is_read(predictor: Predictor, name: str) -> None:
    """Read the seven whatever happened to it."""
    assert predictor.predict(png(IMAGES[name])).digit == DIGIT


def test_sure_first_reading_is_the_result(predictor: Predictor) -> None:
    """Return the first reading itself if it is sure."""
    first = predictor.begin(predictor.open(encode(SEVEN)))
    assert first.prediction is not None
    assert first.prediction.confidence >= MIN_SURE
    assert not first.is_doubtful
    assert predictor.finish(first).prediction is first.prediction


def test_the_reading_says_what_was_seen_and_where(predictor: Predictor) -> None:
    """Return the alternative that won, with its place in the image."""
    reading = predictor.read(encode(half_inverted(SEVEN)))
    left, top, width, height = reading.digit.box
    assert (abs(left - 34) <= 2, abs(top - 21) <= 2) == (True, True)
    assert (abs(width - 52) <= 4, abs(height - 82) <= 4) == (True, True)
    assert sum(reading.prediction.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("share", [0.016, 0.03, 0.06])
@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_small_digit_on_a_large_page_is_read(predictor: Predictor, share: float, image_format: str) -> None:
    """Decode the place of a digit again at a higher resolution."""
    side = round(1_800 * share / 0.7)  # the digit fills 70% of its image
    page = SEVEN.resize((1_350, 1_800)).point(lambda _: 235)
    page.paste(SEVEN.resize((side, side)).point(lambda level: min(level, 235)), (900, 1_200))
    assert predictor.predict(encode(page, image_format)).digit == DIGIT


def empty_page(strength: float, noise: float, seed: int) -> NDArray[np.uint8]:
    """Photograph an empty page under uneven light."""
    rng = np.random.default_rng(seed)
    light = 170 + strength * (50 * X - 30 * Y * Y)
    return np.asarray(np.clip(light + rng.normal(0, noise, X.shape), 0, 255), np.uint8)


@pytest.mark.parametrize("strength", [0, 0.5, 1, -1])
@pytest.mark.parametrize("noise", [0, 1, 4, 15])
def test_empty_page_is_rejected(predictor: Predictor, strength: float, noise: float) -> None:
    """Find no digit in light, shading and noise."""
    with pytest.raises(ImageError, match="no digit found"):
        predictor.predict(png(empty_page(strength, noise, seed=0)))


@pytest.mark.parametrize("seed", range(10))
def test_noise_gets_no_high_confidence(predictor: Predictor, seed: int) -> None:
    """Reject random squares, or read them with a confidence of at most 0.9."""
    rng = np.random.default_rng(seed)
    squares = rng.integers(0, 256, (12, 12), np.uint8).repeat(12, axis=0).repeat(12, axis=1)
    with suppress(ImageError):
        assert predictor.predict(png(squares)).confidence <= 0.9


@pytest.mark.parametrize("may_touch", [True, False])
def test_digits_are_cut_apart_only_if_they_may_touch(classifier: Classifier, may_touch: bool) -> None:
    """Find two sevens that touch, or take them for one digit."""
    seven = ImageOps.invert(SEVEN)
    seven = seven.crop(seven.getbbox())
    line = ImageOps.expand(Image.new("L", (2 * seven.width, seven.height)), 40)
    line.paste(seven, (40, 40))
    line.paste(seven, (40 + seven.width, 40))
    assert shows_several(np.asarray(line), classifier.classify, may_touch) == may_touch


@pytest.mark.parametrize(("confidence", "digit"), [(0.89, DIGIT), (0.91, 1)])
def test_a_doubtful_canvas_is_looked_at_again(
    predictor: Predictor, classifier: Classifier, confidence: float, digit: int
) -> None:
    """Replace a doubtful prediction by the mean over views of the digit, where it is; keep a sure one."""
    first = predictor.begin(predictor.open(encode(SEVEN.resize((28, 28)))))
    others = (1 - confidence) / 9
    wrong = Prediction(1, (others, confidence, *[others] * 8))
    reading = reconsider(replace(first, prediction=wrong), classifier.classify)
    assert reading.digit is first.digit
    assert reading.prediction.digit == digit
    assert sum(reading.prediction.probabilities) == pytest.approx(1)
