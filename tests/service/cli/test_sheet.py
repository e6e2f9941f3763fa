"""The contact sheet shows images, what the network saw of them, and its predictions."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.cli.sheet import CELL_HEIGHT, CELL_WIDTH, COLUMNS, INPUT_LEFT, MARGIN, MAX_CELLS, SIDE, TEXT_TOP
from tests.conftest import ROOT
from tests.images import empty_png
from tests.service.cli.command import NUMBER, PNG, run

EXAMPLES = sorted((ROOT / "examples").glob("*.[pj][np]g"))
Box = tuple[int, int, int, int]
IMAGE = (MARGIN, MARGIN, MARGIN + SIDE, MARGIN + SIDE)
INPUT = (INPUT_LEFT, MARGIN, INPUT_LEFT + SIDE, MARGIN + SIDE)
ANSWER = (0, TEXT_TOP, CELL_WIDTH, TEXT_TOP + 12)


def cell(sheet: Image.Image, index: int) -> Image.Image:
    """Cut one cell out of a sheet."""
    left, top = index % COLUMNS * CELL_WIDTH, index // COLUMNS * CELL_HEIGHT
    return sheet.crop((left, top, left + CELL_WIDTH, top + CELL_HEIGHT))


def load(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.copy()


def pixels(image: Image.Image, box: Box) -> np.ndarray:
    return np.asarray(image.crop(box), int)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_cells_show_image_input_and_prediction(tmp_path: Path, jobs: str) -> None:
    """Draw the image, its 28 x 28 input with light ink, and a line of text, in the order of the rows."""
    finished = run("--jobs", jobs, "--show", tmp_path / "sheet.png", *EXAMPLES, ROOT / "README.md")
    assert finished.returncode == 1
    sheet = load(tmp_path / "sheet.png")
    assert sheet.size == (COLUMNS * CELL_WIDTH, 3 * CELL_HEIGHT)
    first = cell(sheet, 0)
    assert pixels(first, IMAGE).mean() > 200  # black on white
    assert pixels(first, INPUT).mean() < 100  # white on black
    assert pixels(first, ANSWER).min() == 0
    text = cell(sheet, 12)  # a file that is no image
    assert pixels(text, IMAGE).min() == pixels(text, INPUT).min() == 255
    assert pixels(text, ANSWER).min() < 255


def test_number_shows_the_inputs_of_all_digits(tmp_path: Path) -> None:
    """Draw the inputs side by side."""
    (tmp_path / "407.png").write_bytes(NUMBER)
    run("--number", "--show", tmp_path / "sheet.png", tmp_path / "407.png")
    shown = pixels(load(tmp_path / "sheet.png"), INPUT)
    used = np.flatnonzero((shown < 255).any(axis=1))
    assert len(used) == SIDE // 3


def test_sheet_shows_the_first_files(tmp_path: Path) -> None:
    """Stop at MAX_CELLS, and say so. A file that cannot be decoded has a cell with its error."""
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "000.png").write_bytes(empty_png(20_000, 20_000))
    for index in range(1, MAX_CELLS + 3):
        (folder / f"{index:03}.png").write_bytes(PNG)
    finished = run("--show", tmp_path / "sheet.png", folder)
    assert f"shows the first {MAX_CELLS} of {MAX_CELLS + 3} files" in finished.stderr
    sheet = load(tmp_path / "sheet.png")
    assert sheet.height == MAX_CELLS // COLUMNS * CELL_HEIGHT
    assert pixels(cell(sheet, 0), IMAGE).min() == 255
    assert pixels(cell(sheet, MAX_CELLS - 1), IMAGE).min() < 100
