"""Strokes are smooth curves, and each form shows its digit."""

import numpy as np
import pytest
from PIL import Image

from export.data.strokes import FORMS, Form, draw_stroke, render_form, smooth
from service.imaging.normalize import to_model_input
from service.inference.classifier import Classifier


def test_a_smooth_curve_passes_through_its_points() -> None:
    """Interpolates: every given point lies on the curve, and steps are short."""
    points = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    curve = smooth(points)
    distances = np.linalg.norm(curve[:, None] - points, axis=2).min(axis=0)
    assert distances.max() < 1e-9
    assert np.linalg.norm(np.diff(curve, axis=0), axis=1).max() < 0.1


def test_a_stroke_is_as_wide_as_asked() -> None:
    """Draws a horizontal line 5 pixels wide, in white."""
    canvas = Image.new("L", (40, 40), 0)
    draw_stroke(canvas, np.stack([np.linspace(10, 30, 60), np.full(60, 20)], axis=1), width=4)
    column = np.asarray(canvas)[:, 20]
    assert np.flatnonzero(column).tolist() == [18, 19, 20, 21, 22]
    assert column.max() == 255


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_predicted_as_its_digit(form: Form, classifier: Classifier) -> None:
    """Is recognized in most of twenty random renderings; otherwise the form itself is drawn wrong."""
    rendered = [render_form(form, np.random.default_rng(seed)) for seed in range(20)]
    predictions = classifier.classify(np.stack([to_model_input(ink) for ink in rendered]))
    assert sum(prediction.digit == form.digit for prediction in predictions) >= 16
