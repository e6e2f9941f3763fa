"""The example images are the ones that their program draws, and match their names."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.draw import EXAMPLES, Example, draw, main
from tests.conftest import ROOT

FOLDER = ROOT / "examples"


def image_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix in (".png", ".jpg")}


def test_each_example_has_a_committed_file() -> None:
    """Commit exactly the program's examples, at least one for each digit."""
    assert image_names(FOLDER) == {example.name for example in EXAMPLES}
    assert {example.digit for example in EXAMPLES} == set(range(10))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_each_file_is_what_the_program_draws(example: Example) -> None:
    """Match a PNG pixel by pixel, and a JPEG up to its compression."""
    committed = Image.open(FOLDER / example.name)
    assert committed.size == example.size
    difference = np.abs(np.asarray(committed.convert("L"), int) - np.asarray(draw(example), int))
    assert difference.max() <= (0 if example.file_type == "png" else 64)
    assert difference.mean() < 1


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_each_name_tells_digit_colors_and_size(example: Example) -> None:
    """Name the digit, the color of the ink (not that of the corner pixel) and the size in pixels."""
    match = re.fullmatch(r"(\d)-(\w+)-on-\w+-(\d+)x(\d+)\.\w+", example.name)
    assert match
    digit, ink, width, height = match.groups()
    assert (int(digit), int(width), int(height)) == (example.digit, *example.size)
    assert draw(example).getpixel((0, 0)) == (255 if ink == "black" else 0)


def test_the_program_writes_every_example(tmp_path: Path) -> None:
    """Write all examples into any folder."""
    main(tmp_path)
    assert image_names(tmp_path) == image_names(FOLDER)
