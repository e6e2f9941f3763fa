"""Draw the example images of this folder from pen strokes. The label is the first character of each name.

Run it with `python -m examples.draw`. It draws the same images every time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from export.data.strokes import Stroke, draw_stroke, smooth

STROKES: dict[int, list[Stroke]] = {
    0: [[(0.55, 0.05), (0.25, 0.2), (0.15, 0.55), (0.3, 0.92), (0.6, 0.93), (0.83, 0.6), (0.78, 0.2), (0.5, 0.06)]],
    1: [[(0.35, 0.25), (0.55, 0.05), (0.52, 0.5), (0.5, 0.95)]],
    2: [[(0.2, 0.25), (0.4, 0.06), (0.7, 0.12), (0.75, 0.38), (0.5, 0.68), (0.18, 0.93), (0.5, 0.9), (0.85, 0.92)]],
    3: [[(0.22, 0.12), (0.5, 0.04), (0.74, 0.2), (0.62, 0.42), (0.42, 0.48)],
        [(0.42, 0.48), (0.72, 0.56), (0.76, 0.8), (0.5, 0.96), (0.18, 0.86)]],
    4: [[(0.4, 0.05), (0.3, 0.3), (0.15, 0.58), (0.5, 0.57), (0.88, 0.55)], [(0.68, 0.3), (0.66, 0.65), (0.64, 0.96)]],
    5: [[(0.8, 0.06), (0.55, 0.06), (0.32, 0.08)], [(0.32, 0.08), (0.29, 0.25), (0.26, 0.44)],
        [(0.26, 0.44), (0.5, 0.37), (0.78, 0.52), (0.75, 0.82), (0.48, 0.96), (0.2, 0.88)]],
    6: [[(0.65, 0.04), (0.38, 0.25), (0.22, 0.6), (0.3, 0.9), (0.58, 0.96), (0.76, 0.76), (0.62, 0.54), (0.38, 0.58),
         (0.25, 0.74)]],
    7: [[(0.18, 0.1), (0.5, 0.08), (0.82, 0.08)], [(0.82, 0.08), (0.65, 0.45), (0.45, 0.96)]],
    8: [[(0.72, 0.18), (0.48, 0.04), (0.28, 0.2), (0.45, 0.42), (0.7, 0.62), (0.72, 0.86), (0.46, 0.96), (0.24, 0.82),
         (0.34, 0.58), (0.6, 0.4), (0.72, 0.18)]],
    9: [[(0.74, 0.2), (0.5, 0.05), (0.26, 0.22), (0.34, 0.46), (0.6, 0.44), (0.76, 0.18), (0.74, 0.55), (0.66, 0.96)]],
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """One image to draw.

    size: width and height in pixels. file_type: png or jpg. pen: stroke width as a share of the digit's height.
    slant: shear to the right, 0 to 1. height: the digit's height as a share of the image's shorter side.
    """

    digit: int
    size: tuple[int, int]
    file_type: str
    light_on_dark: bool = False
    pen: float = 0.09
    slant: float = 0.0
    height: float = 0.7

    @property
    def name(self) -> str:
        """Return the file's name: `7-white-on-black-500x500.jpg`."""
        colors = "white-on-black" if self.light_on_dark else "black-on-white"
        return f"{self.digit}-{colors}-{self.size[0]}x{self.size[1]}.{self.file_type}"


EXAMPLES = (
    Example(0, (280, 280), "png", pen=0.06, slant=0.1),
    Example(1, (28, 28), "png", light_on_dark=True, pen=0.12),
    Example(2, (2000, 2000), "png", pen=0.05),
    Example(3, (600, 450), "jpg", slant=0.15),
    Example(4, (100, 100), "png", light_on_dark=True, pen=0.11),
    Example(5, (64, 64), "jpg", pen=0.1),
    Example(6, (28, 28), "png", pen=0.12),
    Example(7, (500, 500), "jpg", light_on_dark=True, slant=0.1),
    Example(8, (1200, 1600), "jpg", pen=0.07),
    Example(9, (200, 260), "png", slant=0.1),
    Example(3, (280, 280), "png", light_on_dark=True, pen=0.13),
    Example(5, (1000, 600), "png", pen=0.04, slant=0.2, height=0.4),
)


def draw(example: Example) -> Image.Image:
    """Draw an example in mode L, at up to four times its size and then reduced, so that its edges are smooth."""
    zoom = max(1, min(4, 4000 // max(example.size)))
    width, height = (side * zoom for side in example.size)
    canvas = Image.new("L", (width, height), 0)
    digit_height = example.height * min(width, height)
    for stroke in STROKES[example.digit]:
        points = smooth(np.array(stroke)) - 0.5
        points[:, 0] -= example.slant * points[:, 1]
        points = points * (0.8 * digit_height, digit_height) + (width / 2, height / 2)
        draw_stroke(canvas, points, example.pen * digit_height)
    ink = canvas.resize(example.size, Image.Resampling.BOX)
    return ink if example.light_on_dark else ink.point(lambda value: 255 - value)


def main(folder: Path = Path(__file__).parent) -> None:
    """Write every example into a folder."""
    for example in EXAMPLES:
        draw(example).save(folder / example.name, quality=85, optimize=True)


if __name__ == "__main__":
    main()
