"""Outliers can be drawn, differ from each other, and are not shared by training and evaluation."""

from collections.abc import Iterable
from functools import partial

import numpy as np
import pytest

from export.data.outliers import (
    DRAWING_SIDE,
    EVAL_DRAWINGS,
    TRAIN_DRAWINGS,
    Drawing,
    eval_outliers,
    outlier_image,
    outlier_images,
    train_outliers,
)


def fonts(drawings: Iterable[Drawing]) -> set[str]:
    """Return every font that the drawings use."""
    return {font for drawing in drawings if isinstance(drawing, partial) for font in drawing.keywords["fonts"]}


@pytest.mark.parametrize("kind", EVAL_DRAWINGS)
def test_every_kind_can_be_drawn_and_preprocessed(kind: str) -> None:
    """Draws uint8 (64, 64), which becomes an image with ink; no two are the same."""
    ink = EVAL_DRAWINGS[kind](np.random.default_rng(0))
    assert ink.shape == (DRAWING_SIDE, DRAWING_SIDE)
    assert ink.dtype == np.uint8
    images = [outlier_image(EVAL_DRAWINGS[kind], np.random.default_rng(seed)) for seed in range(8)]
    assert all(image.max() == 1 for image in images)
    assert len({image.tobytes() for image in images}) == 8


def test_training_and_evaluation_share_no_font() -> None:
    """Uses at least four fonts for each, none of them for both."""
    train, evaluation = fonts(TRAIN_DRAWINGS), fonts(EVAL_DRAWINGS.values())
    assert min(len(train), len(evaluation)) >= 4
    assert not train & evaluation


def test_outliers_repeat_with_the_seed() -> None:
    """Gives float32 (N, 1, 28, 28) in [0, 1], the same for the same seed, others for another."""
    first, again, other = (outlier_images(TRAIN_DRAWINGS, 8, seed, "outliers") for seed in (1, 1, 2))
    assert first.shape == (8, 1, 28, 28)
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() == 1
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_training_outliers_have_no_digit_as_label() -> None:
    """Labels every outlier -1, and leaves the digits 0 to 9 to digits."""
    outliers = train_outliers(seed=0, count=6)
    assert len(outliers) == len(outliers.images) == 6
    assert outliers.labels.tolist() == [-1] * 6


def test_evaluation_outliers_are_the_same_in_every_evaluation() -> None:
    """Draws `count` images of each kind from fixed seeds, so that AUROCs of two models compare."""
    first, again = ({kind: list(images) for kind, images in eval_outliers(2).items()} for _ in range(2))
    assert list(first) == list(EVAL_DRAWINGS)
    for kind, images in first.items():
        assert [image.tobytes() for image in images] == [image.tobytes() for image in again[kind]]
        assert len({image.tobytes() for image in images}) == 2
