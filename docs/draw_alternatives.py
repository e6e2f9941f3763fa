"""Draw `alternatives.png` and `numbers.png` for docs/preprocessing.md. `python -m docs.draw_alternatives`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from docs.draw_steps import CAPTION, GAP, TILE, fit_tile
from examples.draw import Example, draw
from export.data.mishaps import crops, marks, pages
from export.data.mishaps.forms import Render
from export.data.mishaps.ranges import TRAIN
from service.imaging.alternatives import find_alternatives, find_digit_or_none
from service.imaging.line import find_line_alternatives, find_lines

Gray = NDArray[np.uint8]

COLUMNS = 9
MISHAPS: dict[str, tuple[int, Render]] = {
    "tight crop": (5, crops.large_crop),
    "inverted edge": (2, crops.inverted_edges),
    "salt and pepper": (4, crops.impulse_noise),
    "shadow": (3, pages.shadow),
    "squared paper": (7, pages.squared),
    "printed box": (6, pages.printed_box),
    "patterned table": (9, pages.patterned_table),
    "outline": (8, pages.large_outline),
    "sign before the digit": (5, marks.sign_before),
}
SEED = 3


def mishap(name: str) -> Gray:
    """Draw one digit to which something happened."""
    digit, render = MISHAPS[name]
    ink = np.asarray(draw(Example(digit, (28, 28), "png", light_on_dark=True, pen=0.12)))
    return render(ink, np.random.default_rng(SEED), TRAIN)


def mishap_row(name: str) -> list[NDArray[np.float32]]:
    """Return the image, the first reading (black if there is none) and the alternatives, each scaled to [0, 1]."""
    gray = mishap(name)
    first = find_digit_or_none(gray)
    shown = first.image if first else np.zeros((28, 28), np.float32)
    return [
        (gray / np.float32(255)).astype(np.float32),
        shown,
        *(digit.image for digit in find_alternatives(gray, first)),
    ]


def write_line(digits: str, gap: int, height: int = 100) -> Gray:
    """Write digits in one line, black on white."""
    tiles = [np.asarray(draw(Example(int(digit), (height, height), "png", height=0.8))) for digit in digits]
    inked = [tile[:, (tile < 255).any(axis=0)] for tile in tiles]
    space = np.full((height, gap), 255, np.uint8)
    line = [part for tile in inked for part in (tile, space)]
    return np.hstack([space, *line])


def house_number() -> Gray:
    """Write a house number with a wide margin."""
    return np.pad(write_line("407", 24), 20, constant_values=255)


def date_with_dots() -> Gray:
    """Write a date whose numbers are separated by dots."""
    parts = [write_line(digits, 16) for digits in ("24", "12", "95")]
    dot = np.full((100, 10), 255, np.uint8)
    dot[82:90, 1:9] = 0
    return np.pad(np.hstack([parts[0], dot, parts[1], dot, parts[2]]), 20, constant_values=255)


def code_in_boxes() -> Gray:
    """Write a post code in printed boxes."""
    cells = []
    for digit in "40213":
        cell = np.pad(write_line(digit, 24), 4, constant_values=255)
        cell[[2, 3, -4, -3]] = cell[:, [2, 3, -4, -3]] = 120
        cells.append(cell)
    return np.pad(np.hstack(cells), 16, constant_values=255)


NUMBERS = {
    "house number": house_number,
    "date": date_with_dots,
    "boxes": code_in_boxes,
}


def draw_mishaps(path: Path) -> None:
    """Draw one row per mishap: the image, the first reading, and the first alternatives."""
    rows = {name: mishap_row(name)[:COLUMNS] for name in MISHAPS}
    sheet = Image.new("L", (COLUMNS * (TILE + GAP), CAPTION + len(rows) * (TILE + GAP)), 128)
    brush = ImageDraw.Draw(sheet)
    for column, caption in enumerate(("decoded", "first reading", "alternatives")):
        brush.text((column * (TILE + GAP), 2), caption, fill=255)
    for row, tiles in enumerate(rows.values()):
        for column, tile in enumerate(tiles):
            sheet.paste(fit_tile(tile), (column * (TILE + GAP), CAPTION + row * (TILE + GAP)))
    sheet.save(path, optimize=True)


def draw_numbers(path: Path) -> None:
    """Draw one line per number, with a box around each digit that is found in it."""
    drawn = [_with_boxes(number()) for number in NUMBERS.values()]
    sheet = Image.new("L", (max(image.width for image in drawn), sum(image.height + GAP for image in drawn)), 128)
    top = 0
    for image in drawn:
        sheet.paste(image, (0, top))
        top += image.height + GAP
    sheet.save(path, optimize=True)


def _with_boxes(gray: Gray) -> Image.Image:
    """Draw the boxes of the version of the line with the most digits."""
    image = Image.fromarray(gray)
    brush = ImageDraw.Draw(image)
    groups = find_lines(gray)[0].groups
    if len(groups) < 2:
        groups = max((line.groups for line in find_line_alternatives(gray)), key=len)
    for group in groups:
        whole = next(piece for piece in group.pieces if piece.end - piece.start == len(group.strokes) - 1)
        left, top, width, height = whole.digit.box
        brush.rectangle((left - 3, top - 3, left + width + 2, top + height + 2), outline=128, width=2)
    return image


def main(folder: Path = Path(__file__).parent) -> None:
    """Write both pictures."""
    draw_mishaps(folder / "alternatives.png")
    draw_numbers(folder / "numbers.png")


if __name__ == "__main__":
    main()
