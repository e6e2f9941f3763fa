"""A folder of own digits for tests: a 7 written as a triangle, in images of any size and both formats."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

DIGIT = 7


def draw_triangle(rng: np.random.Generator) -> Image.Image:
    """Draw the outline of a triangle, dark on light, on a page of 60 to 299 pixels: mode L."""
    side = int(rng.integers(60, 300))
    page = Image.new("L", (side, int(side * rng.uniform(0.8, 1.2))), 255)
    corners = np.array([[0.2, 0.25], [0.8, 0.25], [0.5, 0.75]]) + rng.uniform(-0.08, 0.08, (3, 2))
    points = [tuple(point) for point in (corners * page.size).tolist()]
    ImageDraw.Draw(page).line([*points, *points[:2]], fill=20, width=max(3, side // 20), joint="curve")
    return page


def write_folder(folder: Path, count: int, seed: int = 0) -> Path:
    """Write `count` images and their `labels.csv` to a new folder. Returns it."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    rows = ["file,digit"]
    for index in range(count):
        name = f"{index}.{('png', 'jpg')[index % 2]}"
        draw_triangle(rng).save(folder / name)
        rows.append(f"{name},{DIGIT}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder
