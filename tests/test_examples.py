"""The sample pictures are what their program draws, and what their names say."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.draw import PICTURES, Picture, draw, main
from tests.conftest import ROOT

FOLDER = ROOT / "examples"


def test_there_is_one_file_for_each_picture_of_the_program() -> None:
    """And nothing beside them."""
    committed = {path.name for path in FOLDER.iterdir() if path.suffix in (".png", ".jpg")}
    assert committed == {picture.name for picture in PICTURES}
    assert {picture.digit for picture in PICTURES} == set(range(10))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_each_is_what_the_program_draws(picture: Picture) -> None:
    """Pixel for pixel, but for what JPEG loses."""
    committed = Image.open(FOLDER / picture.name)
    assert committed.size == picture.size
    difference = np.abs(np.asarray(committed.convert("L"), int) - np.asarray(draw(picture), int))
    assert difference.max() <= (0 if picture.kind == "png" else 64)
    assert difference.mean() < 1


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_each_name_tells_digit_colours_and_size(picture: Picture) -> None:
    """As the corner's colour confirms."""
    digit, ink, width, height = re.fullmatch(r"(\d)-(\w+)-on-\w+-(\d+)x(\d+)\.\w+", picture.name).groups()  # type: ignore[union-attr]
    assert (int(digit), int(width), int(height)) == (picture.digit, *picture.size)
    assert draw(picture).getpixel((0, 0)) == (255 if ink == "black" else 0)


def test_the_program_writes_them_all(tmp_path: Path) -> None:
    """Into any folder."""
    main(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(PICTURES)
