"""Draw out-of-distribution (OOD) images: letters, symbols, scribbles, shapes, textures and noise, in random scenes.

The outliers for training and for evaluation share no font and no seed.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import matplotlib as mpl  # its fonts are the same on every machine
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from export.data.dataset import OUTLIER_LABEL, Dataset
from export.data.scenes import map_parallel, render_scene
from export.data.strokes import draw_stroke, smooth
from service.errors import ImageError
from service.imaging.normalize import normalize_digit

LETTERS = "ACEFHKLMNPRUVWXacdefhkmnprtuvwx"
SYMBOLS = "#%&@*+=?<>^~×÷≠≈±≤≥€£¥§¶©®†‡ΓΔΛΞΠΣΦΨΩαβγλμπτφψωЖФЮЯЩЫЭд"  # noqa: RUF001 - look-alikes of letters are meant
LOOKALIKES = "OoQDIlijJTYySsZzBbGgq$|/\\!()[]{}"
"""Characters that some people's 0, 1, 2, 4, 5, 6, 7, 8 or 9 look like. Training on them as outliers would lower the
confidence in real digits."""

TRAIN_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "STIXGeneral", "STIXGeneralItalic")
EVAL_FONTS = ("DejaVuSerif", "DejaVuSerif-BoldItalic", "DejaVuSansMono", "DejaVuSansMono-BoldOblique")

TRAIN_COUNT = 24_000
EVAL_SEED = 1_000

DRAWING_SIDE = 64
FONT_SIZE = 44
MAX_ATTEMPTS = 20

Drawing = Callable[[np.random.Generator], NDArray[np.uint8]]
"""Draws ink, uint8 (64, 64), 255 = ink."""


def train_outliers(seed: int, count: int = TRAIN_COUNT) -> Dataset:
    """Draw the outliers for training, labeled OUTLIER_LABEL: half of them letters and symbols."""
    return Dataset(outlier_images(TRAIN_DRAWINGS, count, seed, "outliers"), np.full(count, OUTLIER_LABEL))


def eval_outliers(count: int) -> dict[str, Iterator[NDArray[np.uint8]]]:
    """Draw `count` outliers of each kind for evaluation, as images, uint8 (H, W), by kind."""
    return {
        kind: _outlier_scenes(drawing, count, EVAL_SEED + index)
        for index, (kind, drawing) in enumerate(EVAL_DRAWINGS.items())
    }


def outlier_images(drawings: Sequence[Drawing], count: int, seed: int, kind: str) -> NDArray[np.float32]:
    """Draw `count` images with the drawings in turn, preprocessed: float32 (count, 1, 28, 28) in [0, 1].

    kind: what the progress bar calls them.
    """
    turns = [drawings[index % len(drawings)] for index in range(count)]
    return map_parallel(outlier_image, turns, seed, f"Drawing {kind}")


def outlier_image(drawing: Drawing, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw one image in a random scene, preprocessed: float32 (1, 28, 28) in [0, 1]. Rejected images are redrawn."""
    return normalize_digit(outlier_scene(drawing, rng))[np.newaxis]


def outlier_scene(drawing: Drawing, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one image in a random scene, uint8 (H, W). It is drawn again if the first reading finds nothing in it."""
    for _ in range(MAX_ATTEMPTS):
        scene = render_scene(drawing(rng), rng)
        try:
            normalize_digit(scene)
        except ImageError:
            continue
        return scene
    raise RuntimeError(f"none of {MAX_ATTEMPTS} images of {drawing} shows any ink")


def _outlier_scenes(drawing: Drawing, count: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Draw `count` images with a generator of their own each, uint8 (H, W)."""
    seeds = np.random.SeedSequence(seed).spawn(count)
    return (outlier_scene(drawing, np.random.default_rng(child)) for child in seeds)


def draw_glyph(rng: np.random.Generator, characters: str, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Draw one random character, slightly slanted and rotated: uint8 (64, 64), 255 = ink."""
    canvas = _new_canvas()
    font = _load_font(fonts[int(rng.integers(len(fonts)))])
    character = characters[int(rng.integers(len(characters)))]
    middle = (DRAWING_SIDE / 2, DRAWING_SIDE / 2)
    ImageDraw.Draw(canvas).text(middle, character, fill=255, font=font, anchor="mm")
    slant = rng.normal(0, 0.15)
    shear = (1, slant, -slant * DRAWING_SIDE / 2, 0, 1, 0)
    slanted = canvas.transform(canvas.size, Image.Transform.AFFINE, shear, Image.Resampling.BICUBIC)
    return np.asarray(slanted.rotate(rng.normal(0, 8), Image.Resampling.BICUBIC))


def draw_scribble(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a curve through 7 to 19 random points, more turns than any digit has: uint8 (64, 64), 255 = ink."""
    canvas = _new_canvas()
    points = rng.uniform(0.1, 0.9, (int(rng.integers(7, 20)), 2)) * DRAWING_SIDE
    draw_stroke(canvas, smooth(points), rng.uniform(2, 7))
    return np.asarray(canvas)


def draw_shape(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a polygon or star, filled or as an outline, or lines from its center: uint8 (64, 64), 255 = ink."""
    canvas = _new_canvas()
    brush = ImageDraw.Draw(canvas)
    points = _star_points(rng)
    width = int(rng.integers(2, 6))
    match rng.integers(3):
        case 0:
            brush.polygon(points, fill=255)
        case 1:
            brush.polygon(points, outline=255, width=width)
        case _:
            for point in points[1::2]:
                brush.line([(DRAWING_SIDE / 2, DRAWING_SIDE / 2), point], fill=255, width=width)
    return np.asarray(canvas)


def draw_texture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw stripes, a checkerboard or smoothed noise: uint8 (64, 64)."""
    y, x = np.mgrid[:DRAWING_SIDE, :DRAWING_SIDE] / DRAWING_SIDE
    angle, frequency = rng.uniform(0, np.pi), rng.uniform(2, 8)
    stripes = np.sin(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)))
    checks = stripes * np.sin(2 * np.pi * frequency * (y * np.cos(angle) - x * np.sin(angle)))
    blots = _smoothed_noise(rng)
    pattern = (stripes, checks, blots)[rng.integers(3)]
    steepness = rng.uniform(1, 8)
    return (np.clip(0.5 + steepness * (pattern - rng.uniform(-0.3, 0.5)), 0, 1) * 255).astype(np.uint8)


def draw_noise(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw independent squares of random gray, coarse or fine: uint8 (64, 64)."""
    side = int(rng.integers(6, DRAWING_SIDE))
    grains = (rng.random((side, side)) < rng.uniform(0.05, 0.9)) * rng.integers(0, 256, (side, side))
    image = Image.fromarray(grains.astype(np.uint8))
    return np.asarray(image.resize((DRAWING_SIDE, DRAWING_SIDE), Image.Resampling.NEAREST))


def _new_canvas() -> Image.Image:
    """Return a black square of DRAWING_SIDE pixels, mode L."""
    return Image.new("L", (DRAWING_SIDE, DRAWING_SIDE), 0)


def _star_points(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return the corners of a random star: its 3 to 8 tips at odd indices, its inner corners at even ones."""
    tips = int(rng.integers(3, 9))
    angles = 2 * np.pi * (np.arange(2 * tips) / (2 * tips) + rng.random())
    radii = np.where(np.arange(2 * tips) % 2, 1.0, rng.uniform(0.3, 1)) * rng.uniform(18, 28)
    middle = DRAWING_SIDE / 2
    return [(middle + r * np.cos(a), middle + r * np.sin(a)) for a, r in zip(angles, radii, strict=True)]


def _smoothed_noise(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return blurred noise of mean 0 and standard deviation 1, float32 (64, 64)."""
    grains = Image.fromarray(rng.integers(0, 256, (DRAWING_SIDE, DRAWING_SIDE), np.uint8))
    soft = np.asarray(grains.filter(ImageFilter.GaussianBlur(rng.uniform(2, 8))), np.float32)
    return (soft - soft.mean()) / max(float(soft.std()), 1.0)


@cache
def _load_font(name: str) -> ImageFont.FreeTypeFont:
    """Load one of matplotlib's fonts."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), FONT_SIZE)


TRAIN_DRAWINGS: tuple[Drawing, ...] = (
    *[partial(draw_glyph, characters=LETTERS + SYMBOLS, fonts=TRAIN_FONTS)] * 4,
    *(draw_scribble, draw_shape, draw_texture, draw_noise),
)

LOOKALIKE_KIND = "look-alikes"

EVAL_DRAWINGS: dict[str, Drawing] = {
    "letters": partial(draw_glyph, characters=LETTERS, fonts=EVAL_FONTS),
    "symbols": partial(draw_glyph, characters=SYMBOLS, fonts=EVAL_FONTS),
    LOOKALIKE_KIND: partial(draw_glyph, characters=LOOKALIKES, fonts=EVAL_FONTS),
    "scribbles": draw_scribble,
    "shapes": draw_shape,
    "textures": draw_texture,
    "noise": draw_noise,
}
