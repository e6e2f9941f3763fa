"""What is no digit: letters, symbols, scribbles, shapes, textures and noise, drawn by rule, as pictures people send.

What is learnt from and what is measured with share no font and no seed.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import matplotlib as mpl  # its fonts are the same on every machine
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from export.batches import NOT_A_DIGIT
from export.scenes import Canvases, Labelled, Picture, Rng, in_parallel, picture_of
from export.strokes import pen, smooth
from service.errors import ImageError
from service.preprocess import to_canvas

LETTERS = "ACEFHKLMNPRUVWXacdefhkmnprtuvwx"
SYMBOLS = "#%&@*+=?<>^~×÷≠≈±≤≥€£¥§¶©®†‡ΓΔΛΞΠΣΦΨΩαβγλμπτφψωЖФЮЯЩЫЭд"  # noqa: RUF001 - look-alikes of letters are meant
LOOKALIKES = "OoQDIlijJTYySsZzBbGgq$|/\\!()[]{}"
"""Someone's 0, 1, 2, 4, 5, 6, 7, 8 or 9: doubt that is learnt from these is doubt about digits."""

LEARNT_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "STIXGeneral", "STIXGeneralItalic")
MEASURED_FONTS = ("DejaVuSerif", "DejaVuSerif-BoldItalic", "DejaVuSansMono", "DejaVuSansMono-BoldOblique")

LEARNT_COUNT = 12_000
SIDE = 64
TRIES = 20

Drawing = Callable[[Rng], Picture]
"""Draws ink, uint8 (SIDE, SIDE), 255 = ink."""


def glyph(rng: Rng, characters: str, fonts: Sequence[str]) -> Picture:
    """One character, turned and slanted a little."""
    canvas = Image.new("L", (SIDE, SIDE), 0)
    font = _font(fonts[int(rng.integers(len(fonts)))])
    character = characters[int(rng.integers(len(characters)))]
    ImageDraw.Draw(canvas).text((SIDE / 2, SIDE / 2), character, fill=255, font=font, anchor="mm")
    slant = rng.normal(0, 0.15)
    slanted = canvas.transform(
        canvas.size, Image.Transform.AFFINE, (1, slant, -slant * SIDE / 2, 0, 1, 0), Image.Resampling.BICUBIC
    )
    return np.asarray(slanted.rotate(rng.normal(0, 8), Image.Resampling.BICUBIC))


def scribble(rng: Rng) -> Picture:
    """A pen that wanders: far more turns than a digit has."""
    canvas = Image.new("L", (SIDE, SIDE), 0)
    points = rng.uniform(0.1, 0.9, (int(rng.integers(7, 20)), 2)) * SIDE
    pen(canvas, smooth(points), rng.uniform(2, 7))
    return np.asarray(canvas)


def shape(rng: Rng) -> Picture:
    """A polygon or a star, filled or in outline, or strokes from a common point; corners where a digit has none."""
    canvas = Image.new("L", (SIDE, SIDE), 0)
    brush = ImageDraw.Draw(canvas)
    corners = int(rng.integers(3, 9))
    angles = 2 * np.pi * (np.arange(2 * corners) / (2 * corners) + rng.random())
    radii = np.where(np.arange(2 * corners) % 2, 1.0, rng.uniform(0.3, 1)) * rng.uniform(18, 28)
    points = [(SIDE / 2 + r * np.cos(a), SIDE / 2 + r * np.sin(a)) for a, r in zip(angles, radii, strict=True)]
    width = int(rng.integers(2, 6))
    match rng.integers(3):
        case 0:
            brush.polygon(points, fill=255)
        case 1:
            brush.polygon(points, outline=255, width=width)
        case _:
            for point in points[1::2]:
                brush.line([(SIDE / 2, SIDE / 2), point], fill=255, width=width)
    return np.asarray(canvas)


def texture(rng: Rng) -> Picture:
    """Stripes, checks, or blots of smoothed noise."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    angle, waves = rng.uniform(0, np.pi), rng.uniform(2, 8)
    stripes = np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)))
    checks = stripes * np.sin(2 * np.pi * waves * (y * np.cos(angle) - x * np.sin(angle)))
    blots = _blots(rng)
    pattern = (stripes, checks, blots)[rng.integers(3)]
    sharp = rng.uniform(1, 8)
    return (np.clip(0.5 + sharp * (pattern - rng.uniform(-0.3, 0.5)), 0, 1) * 255).astype(np.uint8)


def noise(rng: Rng) -> Picture:
    """Independent pixels, coarse or fine."""
    side = int(rng.integers(6, SIDE))
    grains = (rng.random((side, side)) < rng.uniform(0.05, 0.9)) * rng.integers(0, 256, (side, side))
    return np.asarray(Image.fromarray(grains.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.NEAREST))


LEARNT: tuple[Drawing, ...] = (
    *[partial(glyph, characters=LETTERS + SYMBOLS, fonts=LEARNT_FONTS)] * 4,
    *(scribble, shape, texture, noise),
)

LOOKALIKE = "look-alikes"

MEASURED: dict[str, Drawing] = {
    "letters": partial(glyph, characters=LETTERS, fonts=MEASURED_FONTS),
    "symbols": partial(glyph, characters=SYMBOLS, fonts=MEASURED_FONTS),
    LOOKALIKE: partial(glyph, characters=LOOKALIKES, fonts=MEASURED_FONTS),
    "scribbles": scribble,
    "shapes": shape,
    "textures": texture,
    "noise": noise,
}


def learnt(seed: int) -> Labelled:
    """What training doubts: half letters and symbols, half all else."""
    return canvases(LEARNT, LEARNT_COUNT, seed), np.full(LEARNT_COUNT, NOT_A_DIGIT)


def canvases(drawings: Sequence[Drawing], count: int, seed: int) -> Canvases:
    """`count` pictures that take turns with `drawings`, preprocessed: float32 (count, 1, 28, 28) in [0, 1]."""
    return in_parallel(seen, [drawings[place % len(drawings)] for place in range(count)], seed)


def seen(drawing: Drawing, rng: Rng) -> Canvases:
    """One canvas, float32 (1, 28, 28), of a picture in which the service finds ink."""
    for _ in range(TRIES):
        try:
            return to_canvas(picture_of(drawing(rng), rng))[np.newaxis]
        except ImageError:
            continue
    raise RuntimeError(f"none of {TRIES} pictures of {drawing} shows any ink")


def _blots(rng: Rng) -> Canvases:
    grains = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE), np.uint8))
    soft = np.asarray(grains.filter(ImageFilter.GaussianBlur(rng.uniform(2, 8))), np.float32)
    return (soft - soft.mean()) / max(float(soft.std()), 1.0)


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), 44)
