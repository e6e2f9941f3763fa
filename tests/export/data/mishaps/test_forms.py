"""Every form of mishap renders labeled image files, the same ones for the same seed."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from export.data.dataset import Dataset
from export.data.mishaps.forms import FORMS, TRAIN_FORMS, eval_mishaps, train_mishaps
from export.data.mishaps.ranges import EVAL, TRAIN
from tests.images import SEVEN

INK = 255 - np.asarray(SEVEN.resize((28, 28)))
DIGITS = Dataset(np.stack([INK] * 3), np.array([7] * 3))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ranges", [TRAIN, EVAL], ids=["train", "eval"])
def test_form_renders_ink_on_a_background(form: str, ranges: Any) -> None:
    """Render uint8 (H, W) with contrast, and never twice the same."""
    images = [FORMS[form](INK, np.random.default_rng(seed), ranges) for seed in range(4)]
    for image in images:
        assert image.dtype == np.uint8
        assert image.ndim == 2
        assert int(image.max()) - int(image.min()) > 8
    assert len({image.tobytes() for image in images}) > 1


def test_training_and_evaluation_share_no_pattern() -> None:
    """Put the evaluation's pages on tables with patterns that were not seen in training."""
    assert not set(TRAIN.patterns) & set(EVAL.patterns)


def test_evaluation_images_repeat_with_the_seed() -> None:
    """Render `count` labeled files of each form, the same for the same seed and others for another."""
    first, again, other = (list(eval_mishaps(DIGITS, 1, seed=seed)) for seed in (1, 1, 2))
    assert [mishap.form for mishap in first] == list(FORMS)
    assert first == again
    assert first != other
    for mishap in first:
        assert mishap.label == 7
        assert Image.open(BytesIO(mishap.image_bytes)).format in ("PNG", "JPEG")


def test_training_images_are_first_readings() -> None:
    """Render each digit once, float32 (N, 1, 28, 28) in [0, 1], the same for the same seed."""
    assert set(TRAIN_FORMS) < set(FORMS)
    first, again = train_mishaps(DIGITS, 1), train_mishaps(DIGITS, 1)
    assert first.images.shape == (3, 1, 28, 28)
    assert first.images.dtype == np.float32
    assert 0 <= first.images.min() <= first.images.max() == 1
    assert np.array_equal(first.images, again.images)
    assert first.labels.tolist() == [7, 7, 7]
