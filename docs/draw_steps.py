"""Draw `preprocessing.png`: the result of each preprocessing step for four images. `python -m docs.draw_steps`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from examples.draw import Example, draw
from service.imaging.normalize import center, crop_to_ink, resize_to_box
from service.imaging.segment import extract_digit, subtract_background

TILE, GAP, CAPTION = 120, 8, 16


def pencil_on_paper() -> NDArray[np.uint8]:
    """Draw a pencil 4 on unevenly lit, textured paper."""
    return _photo(draw(Example(4, (240, 240), "png", pen=0.04, height=0.5)), ink=90)


def blackboard() -> NDArray[np.uint8]:
    """Draw a white 7 on an unevenly lit blackboard."""
    return np.uint8(255) - _photo(draw(Example(7, (240, 240), "png", pen=0.06, height=0.5)), ink=60)


def page_on_a_table() -> NDArray[np.uint8]:
    """Draw a 2 on a page that does not fill the image, with a speck."""
    table = np.full((250, 250), 50, np.uint8)
    table[35:225, 25:215] = _photo(draw(Example(2, (190, 190), "png", pen=0.05, height=0.6)), ink=40)
    table[50:54, 50:54] = 0
    return table


def canvas() -> NDArray[np.uint8]:
    """Draw a thick 3 in the corner of a paint program's canvas."""
    page = np.full((250, 250), 255, np.uint8)
    page[10:110, 130:230] = np.asarray(draw(Example(3, (100, 100), "png", pen=0.14)))
    return page


def _photo(image: Image.Image, ink: int) -> NDArray[np.uint8]:
    drawn = 1 - np.asarray(image) / 255
    y, x = np.mgrid[-1 : 1 : drawn.shape[0] * 1j, -1 : 1 : drawn.shape[1] * 1j]
    paper = 170 + 45 * x - 20 * y * y + np.random.default_rng(0).normal(0, 4, drawn.shape)
    return np.asarray(np.clip(paper + (ink - paper) * drawn, 0, 255), np.uint8)


# None is larger than SEARCH_SIDE: no further step reduces it.
IMAGES: tuple[Callable[[], NDArray[np.uint8]], ...] = (pencil_on_paper, blackboard, page_on_a_table, canvas)


def steps(gray: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the result of each step, scaled to [0, 1], by name."""
    ink, _ = subtract_background(gray)
    digit = extract_digit(gray)
    cropped = crop_to_ink(digit)
    resized = resize_to_box(cropped)
    return {
        "decoded": gray.astype(np.float32) / 255,
        "1 background": ink / ink.max(),
        "2 digit": digit / digit.max(),
        "3 crop": cropped / cropped.max(),
        "4 resize": resized,
        "5 center": center(resized),
    }


def main(path: Path = Path(__file__).parent / "preprocessing.png") -> None:
    """Draw one row per image and one column per step."""
    rows = [steps(image()) for image in IMAGES]
    sheet = Image.new("L", (len(rows[0]) * (TILE + GAP), CAPTION + len(rows) * (TILE + GAP)), 128)
    brush = ImageDraw.Draw(sheet)
    for column, name in enumerate(rows[0]):
        brush.text((column * (TILE + GAP), 2), name, fill=255)
        for row, results in enumerate(rows):
            sheet.paste(fit_tile(results[name]), (column * (TILE + GAP), CAPTION + row * (TILE + GAP)))
    sheet.save(path, optimize=True)


def fit_tile(pixels: NDArray[np.float32], box: tuple[int, int] = (TILE, TILE)) -> Image.Image:
    """Enlarge float32 (h, w) in [0, 1] to fit a box of this width and height."""
    image = Image.fromarray((pixels * 255).astype(np.uint8))
    scale = min(box[0] / image.width, box[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
