"""The picture in docs/preprocessing.md shows what the code does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from docs import draw_alternatives, draw_steps
from docs.draw_steps import IMAGES, steps
from service.imaging.normalize import normalize_digit
from tests.conftest import ROOT


@pytest.mark.parametrize("image", IMAGES)
def test_the_drawn_steps_are_those_of_the_service(image: Callable[[], NDArray[np.uint8]]) -> None:
    """End with the result of the service's own preprocessing."""
    assert np.array_equal(steps(image())["5 center"], normalize_digit(image()))


@pytest.mark.parametrize("name", ["preprocessing.png", "alternatives.png", "numbers.png"])
def test_the_committed_picture_is_up_to_date(name: str, tmp_path: Path) -> None:
    """Match what the program draws, up to rounding on another processor."""
    draw_steps.main(tmp_path / "preprocessing.png")
    draw_alternatives.main(tmp_path)
    committed, drawn = (np.asarray(Image.open(folder / name), int) for folder in (ROOT / "docs", tmp_path))
    assert committed.shape == drawn.shape
    assert np.abs(committed - drawn).mean() < 0.5
