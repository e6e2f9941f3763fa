"""The contact sheet: images, what the network saw of them, and its predictions."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from service.cli.replacement import Replacement
from service.cli.result import Row, Thumbnail

MAX_CELLS = 200
COLUMNS = 5
CELL_WIDTH, CELL_HEIGHT = 216, 148
SIDE = 96
MARGIN = 8
INPUT_LEFT = 2 * MARGIN + SIDE
TEXT_TOP = 2 * MARGIN + SIDE
LINE_HEIGHT = 14
MAX_CHARACTERS = 32

BACKGROUND, FRAME, TEXT, ERROR_TEXT = 255, 200, 0, 90


class Sheet:
    """Collects the first rows of a run, and draws them."""

    def __init__(self, path: Path) -> None:
        """Draw into this file. Raises ServiceError if it cannot be created."""
        self._file = Replacement(path)
        self._rows: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        """Keep rows until there are MAX_CELLS."""
        self._rows += rows[: MAX_CELLS - len(self._rows)]

    def close(self) -> None:
        """Draw the sheet as a PNG file."""
        draw_sheet(self._rows).save(self._file.partial, "PNG")
        self._file.complete()


def draw_sheet(rows: Sequence[Row]) -> Image.Image:
    """Draw one cell per row."""
    columns = max(1, min(COLUMNS, len(rows)))
    height = max(1, -(-len(rows) // columns))
    sheet = Image.new("L", (columns * CELL_WIDTH, height * CELL_HEIGHT), BACKGROUND)
    for index, row in enumerate(rows):
        sheet.paste(_draw_cell(row), (index % columns * CELL_WIDTH, index // columns * CELL_HEIGHT))
    return sheet


def _draw_cell(row: Row) -> Image.Image:
    cell = Image.new("L", (CELL_WIDTH, CELL_HEIGHT), BACKGROUND)
    _paste(cell, row.result.thumbnail, MARGIN)
    _paste(cell, row.result.model_input, INPUT_LEFT)
    draw, font = ImageDraw.Draw(cell), ImageFont.load_default_imagefont()
    result = row.result
    answer = _shorten(result.error) if result.error else f"{result.number}  {result.confidence:.4f}"
    lines = ((answer, ERROR_TEXT if result.error else TEXT), (_shorten(Path(row.file).name), TEXT))
    for index, (text, color) in enumerate(lines):
        draw.text((MARGIN, TEXT_TOP + index * LINE_HEIGHT), text, color, font)
    return cell


def _paste(cell: Image.Image, pixels: Thumbnail | None, left: int) -> None:
    """Paste a gray image, uint8 (H, W), as large as fits SIDE x SIDE, in a frame."""
    ImageDraw.Draw(cell).rectangle((left - 1, MARGIN - 1, left + SIDE, MARGIN + SIDE), outline=FRAME)
    if pixels is None:
        return
    image = Image.fromarray(pixels)
    scale = SIDE / max(image.size)
    size = tuple(max(1, round(side * scale)) for side in image.size)
    resized = image.resize((size[0], size[1]), Image.Resampling.NEAREST)
    cell.paste(resized, (left + (SIDE - size[0]) // 2, MARGIN + (SIDE - size[1]) // 2))


def _shorten(text: str) -> str:
    """Return text of at most MAX_CHARACTERS characters that the font has."""
    text = text.removeprefix("Error processing image: ").encode("latin-1", "replace").decode("latin-1")
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 3]}..."
