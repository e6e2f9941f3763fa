"""Scenes look like what clients send, and preprocessing recovers the digit from most of them."""

import numpy as np

from export.data.dataset import Dataset
from export.data.scenes import draw_dataset, normalize_dataset, photograph_dataset, render_scene
from export.data.strokes import FORMS, Form
from service.imaging.normalize import normalize_digit
from tests.images import SEVEN

INK = 255 - np.asarray(SEVEN.resize((28, 28)))


def test_scenes_have_both_polarities_and_many_sizes() -> None:
    """Renders light and dark backgrounds, small and large images."""
    scenes = [render_scene(INK, np.random.default_rng(seed)) for seed in range(60)]
    backgrounds = [np.median(scene[0]) for scene in scenes]
    assert min(backgrounds) < 60
    assert max(backgrounds) > 200
    sides = [max(scene.shape) for scene in scenes]
    assert min(sides) < 60
    assert max(sides) > 200


def test_preprocessing_recovers_the_digit_from_most_scenes() -> None:
    """Comes within 0.08 of the original, mean absolute difference, up to a pixel's shift, in 90 of 100 scenes."""
    expected = normalize_digit(INK)
    close = 0
    for seed in range(100):
        image = normalize_digit(render_scene(INK, np.random.default_rng(seed)))
        shifted = [np.roll(image, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        close += min(np.abs(other - expected).mean() for other in shifted) < 0.08
    assert close >= 90


def test_scenes_do_not_depend_on_the_number_of_processes() -> None:
    """Gives each image a generator of its own: the same scenes for the same seed, others for another."""
    digits = Dataset(np.repeat(INK[np.newaxis], 4, axis=0), np.full(4, 7))
    first, again, other = (photograph_dataset(digits, seed).images for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_forms_are_drawn_as_often_as_they_say() -> None:
    """Renders `count` images of each form, labeled with its digit."""
    forms = tuple(Form(form.digit, form.strokes, 2) for form in (FORMS[0], FORMS[5], FORMS[9]))
    drawn = draw_dataset(0, forms)
    assert drawn.images.shape == (6, 1, 28, 28)
    assert drawn.labels.tolist() == [1, 1, 7, 7, 4, 4]


def test_digits_without_a_scene_are_preprocessed_as_the_service_does() -> None:
    """Adds a channel to the service's own result, and keeps the label."""
    normalized = normalize_dataset(Dataset(INK[np.newaxis], np.array([7])))
    assert np.array_equal(normalized.images[0, 0], normalize_digit(INK))
    assert normalized.labels.tolist() == [7]
