"""The picture in the documentation shows what the code does."""

from pathlib import Path

import numpy as np
from PIL import Image

from docs.draw_steps import PICTURES, main, steps
from service.preprocess import to_canvas
from tests.conftest import ROOT


def test_the_steps_that_are_drawn_are_the_steps_that_are_taken() -> None:
    """The last column is what the service computes in one call."""
    for picture in PICTURES:
        assert np.array_equal(steps(picture())["5 centre"], to_canvas(picture()))


def test_the_committed_picture_is_what_the_program_draws(tmp_path: Path) -> None:
    """To the few grey levels that rounding may cost on another processor."""
    main(tmp_path / "preprocessing.png")
    committed, drawn = (
        np.asarray(Image.open(path), int)
        for path in (ROOT / "docs" / "preprocessing.png", tmp_path / "preprocessing.png")
    )
    assert committed.shape == drawn.shape
    assert np.abs(committed - drawn).mean() < 0.5
