"""The gallery shows what the served model reads."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from docs import draw_gallery
from docs.gallery_sections import SECTIONS, Section
from examples.draw import EXAMPLES
from export.data.mishaps.forms import FORMS
from export.data.outliers import EVAL_DRAWINGS
from tests.conftest import ROOT

DOCS = ROOT / "docs"
RENEW = "Look at the change, run `python -m docs.draw_gallery`, and correct the reasons in docs/gallery_sections.py."

MAX_DOUBT = 0.7
"""The answer of a picture with less confidence may be another one on another processor."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read all pictures with the served model, and write the gallery into another folder."""
    folder = tmp_path_factory.mktemp("gallery")
    draw_gallery.main(folder)
    return folder


def lines(folder: Path) -> list[list[str]]:
    """Return the lines of a gallery, those of tables split into cells."""
    return [line.split(" | ") for line in (folder / "gallery.md").read_text().splitlines()]


def is_doubtful(cells: list[str]) -> bool:
    """Tell whether a row of a table has a confidence, a low one."""
    return len(cells) > 3 and bool(re.match(r"0\.\d\d", cells[3])) and float(cells[3][:4]) < MAX_DOUBT


def test_every_answer_is_that_of_the_model(drawn: Path) -> None:
    """Find the same text, names and answers. Confidences may differ, and answers where both confidences are low."""
    for ours, committed in zip(lines(drawn), lines(DOCS), strict=True):
        assert [*ours[:2], *ours[4:]] == [*committed[:2], *committed[4:]], RENEW
        assert ours[2:3] == committed[2:3] or (is_doubtful(ours) and is_doubtful(committed)), RENEW


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_every_contact_sheet_is_up_to_date(section: Section, drawn: Path) -> None:
    """Match what the program draws, up to rounding on another processor."""
    committed, ours = (np.asarray(Image.open(folder / section.file), int) for folder in (DOCS, drawn))
    assert committed.shape == ours.shape, RENEW
    assert np.abs(committed - ours).mean() < 1, RENEW


def test_the_gallery_is_complete_and_honest() -> None:
    """Show every example, every mishap and every kind of outlier, and errors with their reasons."""
    pictures = {section.key: section.pictures for section in SECTIONS}
    assert {picture.name for picture in pictures["examples"]} == {example.name for example in EXAMPLES}
    assert {picture.name for picture in pictures["mishaps"]} == set(FORMS)
    assert {picture.name.rstrip(" 12") for picture in pictures["outliers"]} == {*EVAL_DRAWINGS, "blank page"}
    assert all(picture.note for picture in pictures["errors"])


def test_the_pictures_are_small() -> None:
    """Take less than 400 KB in all."""
    assert sum((DOCS / section.file).stat().st_size for section in SECTIONS) < 400_000
