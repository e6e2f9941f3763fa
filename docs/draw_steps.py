"""Draws `preprocessing.png`: what each step of preprocessing makes of four pictures. `python -m docs.draw_steps`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from examples.draw import Picture, draw
from service.ink import extract_ink, lift
from service.preprocess import centre, crop, fit

TILE, GAP, CAPTION = 120, 8, 16

Grey = NDArray[np.uint8]


def sheet_of_paper() -> Grey:
    """A pencilled four on shaded, grained paper."""
    return _photo(draw(Picture(4, (240, 240), "png", pen=0.04, share=0.5)), ink=90)


def blackboard() -> Grey:
    """A white seven under a lamp."""
    return np.uint8(255) - _photo(draw(Picture(7, (240, 240), "png", pen=0.06, share=0.5)), ink=60)


def page_on_a_table() -> Grey:
    """A two on a page that does not fill the picture, with a speck."""
    table = np.full((300, 300), 50, np.uint8)
    table[40:270, 30:260] = _photo(draw(Picture(2, (230, 230), "png", pen=0.05, share=0.6)), ink=40)
    table[60:64, 60:64] = 0
    return table


def canvas() -> Grey:
    """A thick three from a paint program, in a corner."""
    page = np.full((260, 260), 255, np.uint8)
    page[10:110, 140:240] = np.asarray(draw(Picture(3, (100, 100), "png", pen=0.14)))
    return page


def _photo(picture: Image.Image, ink: int) -> Grey:
    drawn = 1 - np.asarray(picture) / 255
    y, x = np.mgrid[-1 : 1 : drawn.shape[0] * 1j, -1 : 1 : drawn.shape[1] * 1j]
    paper = 170 + 45 * x - 20 * y * y + np.random.default_rng(0).normal(0, 4, drawn.shape)
    return np.asarray(np.clip(paper + (ink - paper) * drawn, 0, 255), np.uint8)


PICTURES: tuple[Callable[[], Grey], ...] = (sheet_of_paper, blackboard, page_on_a_table, canvas)


def steps(picture: Grey) -> dict[str, NDArray[np.float32]]:
    """What each step hands to the next, by name."""
    lifted, _ = lift(picture)
    digit = extract_ink(picture)
    cropped = crop(digit)
    fitted = fit(cropped)
    return {
        "decoded": picture.astype(np.float32) / 255,
        "1 lift": lifted / lifted.max(),
        "2 extract_ink": digit / digit.max(),
        "3 crop": cropped / cropped.max(),
        "4 fit": fitted,
        "5 centre": centre(fitted),
    }


def main(path: Path = Path(__file__).parent / "preprocessing.png") -> None:
    """A row for each picture, a column for each step."""
    rows = [steps(picture()) for picture in PICTURES]
    sheet = Image.new("L", (len(rows[0]) * (TILE + GAP), CAPTION + len(rows) * (TILE + GAP)), 128)
    brush = ImageDraw.Draw(sheet)
    for column, name in enumerate(rows[0]):
        brush.text((column * (TILE + GAP), 2), name, fill=255)
        for row, made in enumerate(rows):
            tile = Image.fromarray((made[name] * 255).astype(np.uint8))
            scale = TILE / max(tile.size)
            size = (max(1, round(tile.width * scale)), max(1, round(tile.height * scale)))
            sheet.paste(
                tile.resize(size, Image.Resampling.NEAREST), (column * (TILE + GAP), CAPTION + row * (TILE + GAP))
            )
    sheet.save(path, optimize=True)


if __name__ == "__main__":
    main()
