"""Read the pictures of the gallery, and write `gallery.md` with its contact sheets. `python -m docs.draw_gallery`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from docs.draw_steps import fit_tile
from docs.gallery_pictures import Picture
from docs.gallery_sections import INTRODUCTION, SECTIONS, Section
from export.data.wild import MAX_DECODED_BYTES
from export.evaluation.tables import table
from service import Predictor
from service.cli.chunk_reader import Chunk, ChunkReader
from service.cli.result import Result
from service.imaging.decode import decode

SHEET_WIDTH = 1_080
MARGIN, LINE_HEIGHT = 8, 13
BACKGROUND, FRAME, TEXT = 255, 200, 0


@dataclass(frozen=True)
class Shown:
    """A picture and what was read from it."""

    picture: Picture
    result: Result

    @property
    def answer(self) -> str:
        """The digits that were read."""
        return self.result.number or "rejected"

    @property
    def confidence(self) -> str:
        """The probability that all digits are right: the last decimals depend on the processor."""
        return f"{self.result.confidence:.2f}" if self.result.digits else ""


def read_section(section: Section, predictor: Predictor) -> list[Shown]:
    """Read the pictures of a section, as digit-predict does."""
    reader = ChunkReader(predictor, section.is_number)
    results = [result for batch in reader.read(Chunk(list(section.pictures), is_shown=True)) for result in batch]
    return [Shown(picture, result) for picture, result in zip(section.pictures, results, strict=True)]


def _rows(shown: Iterable[Shown]) -> list[list[str]]:
    """List what each picture shows and what was read from it, with the reason if that is wrong."""
    return [
        [one.picture.name, one.picture.truth or "no digit", one.answer, one.confidence, one.picture.note]
        for one in shown
    ]


def draw_sheet(section: Section, shown: Sequence[Shown]) -> Image.Image:
    """Draw one cell per picture, in rows."""
    cells = [_draw_cell(one, section.box) for one in shown]
    width, height = cells[0].size
    columns = SHEET_WIDTH // width
    sheet = Image.new("L", (columns * width, -(-len(cells) // columns) * height), BACKGROUND)
    for index, cell in enumerate(cells):
        sheet.paste(cell, (index % columns * width, index // columns * height))
    return sheet


def _draw_cell(shown: Shown, box: tuple[int, int]) -> Image.Image:
    """Draw the picture, the 28 x 28 inputs of the network, and below them answer, confidence and name."""
    width, height = box
    cell = Image.new("L", (2 * width + 3 * MARGIN, height + 2 * MARGIN + 2 * LINE_HEIGHT), BACKGROUND)
    _paste(cell, decode(shown.picture.content, MAX_DECODED_BYTES), MARGIN, box)
    if shown.result.model_input is not None:
        _paste(cell, shown.result.model_input, width + 2 * MARGIN, box)
    brush, font = ImageDraw.Draw(cell), ImageFont.load_default_imagefont()
    truth = shown.picture.truth
    instead = f"  instead of {truth}" if truth not in ("", shown.answer) else ""
    for line, text in enumerate((f"{shown.answer}  {shown.confidence}{instead}", shown.picture.name)):
        brush.text((MARGIN, height + 2 * MARGIN + line * LINE_HEIGHT), text, TEXT, font)
    return cell


def _paste(cell: Image.Image, gray: NDArray[np.uint8], left: int, box: tuple[int, int]) -> None:
    """Paste uint8 (H, W), as large as fits the box, in a frame."""
    image = Image.fromarray(gray)
    image.thumbnail(box)
    tile = fit_tile((np.asarray(image) / np.float32(255)).astype(np.float32), box)
    ImageDraw.Draw(cell).rectangle((left - 1, MARGIN - 1, left + box[0], MARGIN + box[1]), outline=FRAME)
    cell.paste(tile, (left + (box[0] - tile.width) // 2, MARGIN + (box[1] - tile.height) // 2))


def _paragraphs(section: Section, shown: Sequence[Shown]) -> list[str]:
    header = ["picture", "shows", "read as", "confidence", "why"]
    lines = _rows(shown)
    used = len(header) if any(line[-1] for line in lines) else len(header) - 1
    return [
        f"## {section.title}",
        section.text,
        f"![{section.title}: pictures, inputs and answers]({section.file})",
        table(header[:used], [line[:used] for line in lines]),
    ]


def main(folder: Path = Path(__file__).parent) -> None:
    """Write the document and one contact sheet per section."""
    predictor = Predictor.load()
    paragraphs = [INTRODUCTION]
    for section in SECTIONS:
        shown = read_section(section, predictor)
        draw_sheet(section, shown).save(folder / section.file, optimize=True)
        paragraphs += _paragraphs(section, shown)
    (folder / "gallery.md").write_text("\n\n".join(paragraphs) + "\n")


if __name__ == "__main__":
    main()
