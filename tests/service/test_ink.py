"""Ink is lifted from paper of any kind, and what is not the digit stays behind."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from service.errors import ImageError
from service.ink import extract_ink
from service.preprocess import to_canvas
from tests.pictures import SEVEN

Picture = NDArray[np.uint8]
INK = 1 - np.asarray(SEVEN) / 255  # (120, 120), 1 = ink
EXPECTED = to_canvas(np.asarray(SEVEN))


def on(paper: NDArray[np.float64], ink: float, top: int = 60, left: int = 60) -> Picture:
    """The seven on this paper, in ink of this grey."""
    picture = paper.copy()
    spot = picture[top : top + 120, left : left + 120]
    spot += (ink - spot) * INK
    return np.clip(picture, 0, 255).astype(np.uint8)


def distance(picture: Picture) -> float:
    """Mean difference of the canvas from that of the seven alone, give or take a pixel's shift."""
    canvas = to_canvas(picture)
    shifted = [np.roll(canvas, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return float(min(np.abs(other - EXPECTED).mean() for other in shifted))


Y, X = np.mgrid[-1:1:240j, -1:1:240j]
GRAIN = np.random.default_rng(0).normal(0, 4, (240, 240))
PAPERS = {
    "even": np.full((240, 240), 220.0),
    "shaded from side to side": 170 + 50 * X,
    "shaded from corner to corner": 150 + 40 * X - 30 * Y,
    "darker at its corners": 220 - 40 * (X * X + Y * Y),
    "grained": 180 + GRAIN,
    "shaded and grained": 160 + 35 * X + 20 * Y * Y + GRAIN,
}


@pytest.mark.parametrize("name", PAPERS)
def test_paper_leaves_no_trace(name: str) -> None:
    """Light, texture and level are the paper's; only the digit reaches the canvas."""
    assert distance(on(PAPERS[name], 30)) < 0.04


@pytest.mark.parametrize("name", PAPERS)
def test_light_ink_on_dark_paper_is_the_same(name: str) -> None:
    """A blackboard under the same light."""
    assert distance(on(PAPERS[name] - 110, 255)) < 0.04


def test_a_pencil_is_read_as_a_marker_is() -> None:
    """Ink that is only a little darker than its paper fills the range all the same."""
    canvas = to_canvas(on(PAPERS["shaded and grained"], 100))
    assert canvas.max() == 1
    assert distance(on(PAPERS["shaded and grained"], 100)) < 0.06


def test_specks_stay_behind() -> None:
    """Dust anywhere on the page, and a blot far from the digit."""
    picture = on(PAPERS["even"], 30)
    for top, left in ((10, 10), (20, 200), (200, 15), (90, 30), (225, 225)):
        picture[top : top + 3, left : left + 3] = 0
    picture[8:20, 100:112] = 60
    assert distance(picture) < 0.04


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_the_end_of_the_page_stays_behind(side: str) -> None:
    """A strip of dark table along one edge."""
    picture = on(PAPERS["shaded from corner to corner"], 20)
    turns = ("right", "bottom", "left", "top").index(side)
    np.rot90(picture, -turns)[:, -9:] = 35  # a view: it is the picture that gets the strip
    assert distance(picture) < 0.04


def test_a_page_on_a_table_is_looked_into() -> None:
    """The page is the largest thing in the picture, and not the digit."""
    table = np.full((400, 420), 40, np.uint8)
    table[60:300, 90:330] = on(PAPERS["even"], 60)
    assert distance(table) < 0.04


def test_a_thick_bar_is_no_page() -> None:
    """Full as a page is, but nothing is written on it."""
    picture = np.full((200, 200), 255, np.uint8)
    picture[20:180, 60:140] = 0
    assert extract_ink(picture)[100, 100] == 255


def test_the_strokes_of_one_digit_stay_together() -> None:
    """A five whose roof hangs loose, a little above the rest."""
    picture = np.full((200, 200), 255, np.uint8)
    picture[40:48, 80:130] = 0
    picture[56:150, 76:84] = 0
    ink = extract_ink(picture)
    assert ink[44, 100] == ink[100, 80] == 255


def test_faint_edges_of_a_stroke_are_kept_on_quiet_paper() -> None:
    """Antialiasing is part of the drawing."""
    soft = np.asarray(SEVEN.filter(ImageFilter.GaussianBlur(2)))
    ink = extract_ink(soft)
    assert ((ink > 0) & (ink < 25)).any()


@pytest.mark.parametrize("seed", range(5))
def test_noise_without_ink_is_blank(seed: int) -> None:
    """Grain, however strong, is no digit."""
    rng = np.random.default_rng(seed)
    noise = np.clip(rng.normal(128, rng.uniform(1, 20), (200, 200)), 0, 255).astype(np.uint8)
    with pytest.raises(ImageError, match="no digit found"):
        extract_ink(noise)


def test_shaded_paper_without_ink_is_blank() -> None:
    """A photo of an empty page."""
    for name in ("shaded from side to side", "darker at its corners", "shaded and grained"):
        with pytest.raises(ImageError, match="no digit found"):
            extract_ink(PAPERS[name].astype(np.uint8))


@pytest.mark.parametrize("seed", range(20))
def test_any_picture_gives_ink_or_says_that_it_is_blank(seed: int) -> None:
    """Rectangles of any grey at any place, of any size: no other error, and never an empty canvas."""
    rng = np.random.default_rng(seed)
    picture = np.full(rng.integers(1, 300, 2), rng.integers(256), np.uint8)
    for _ in range(rng.integers(0, 12)):
        top, left, height, width = (int(rng.integers(0, 150)) for _ in range(4))
        picture[top : top + height, left : left + width] = rng.integers(256)
    try:
        canvas = to_canvas(picture)
    except ImageError:
        return
    assert np.isfinite(canvas).all()
    assert canvas.max() == 1


def test_a_photo_with_a_jpeg_of_it_gives_the_same() -> None:
    """Compression adds grain around the strokes, and no more."""
    picture = Image.fromarray(on(PAPERS["shaded from side to side"], 30))
    assert distance(np.asarray(picture.resize((480, 480)).resize((240, 240)))) < 0.05
