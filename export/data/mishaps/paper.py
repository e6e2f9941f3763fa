"""Draw what surrounds a digit: paper, printed lines, shadows, glare, tables. Gray is float64 (H, W), 0 to 255."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from export.data.mishaps.pens import Ink

Gray = NDArray[np.float64]


def blank(height: int, width: int, rng: np.random.Generator) -> Gray:
    """Return paper: half of it pure white as in a scan, the rest of a light gray with fine texture."""
    if rng.random() < 0.5:
        return np.full((height, width), 255.0)
    return rng.uniform(170, 245) + rng.normal(0, rng.uniform(0.5, 3), (height, width))


def write(paper: Gray, ink: Ink, top: int, left: int, level: float) -> Gray:
    """Write ink of this gray level on paper, with its top left corner at a pixel inside. What sticks out is cut off."""
    result = paper.copy()
    region = result[top : top + ink.shape[0], left : left + ink.shape[1]]
    region += (level - region) * ink[: region.shape[0], : region.shape[1]]
    return result


def write_anywhere(paper: Gray, ink: Ink, rng: np.random.Generator) -> Gray:
    """Write dark ink at a random place of paper that is at least as large."""
    top = int(rng.integers(paper.shape[0] - ink.shape[0] + 1))
    left = int(rng.integers(paper.shape[1] - ink.shape[1] + 1))
    return write(paper, ink, top, left, rng.uniform(0, 80))


def draw_lines(paper: Gray, gap: float, width: int, contrast: float, vertical: bool, rng: np.random.Generator) -> Gray:
    """Print parallel lines from side to side, horizontal or vertical, `gap` pixels apart."""
    result = paper.T.copy() if vertical else paper.copy()
    start = rng.uniform(0, gap)
    for line in np.arange(start, result.shape[0] - width, gap).astype(int):
        result[line : line + width] *= 1 - contrast
    return result.T if vertical else result


def draw_frame(paper: Gray, box: tuple[int, int, int, int], width: int, contrast: float) -> Gray:
    """Print a rectangle, given as top, left, bottom and right in pixels, with lines of this width inside it."""
    top, left, bottom, right = box
    result = paper.copy()
    inside = np.zeros(paper.shape, bool)
    inside[top:bottom, left:right] = True
    inside[top + width : bottom - width, left + width : right - width] = False
    result[inside] *= 1 - contrast
    return result


def turn(gray: Gray, degrees: float) -> Gray:
    """Turn a whole image by a few degrees, and cut off the corners that are empty."""
    height, width = gray.shape
    image = Image.fromarray(gray.astype(np.float32)).rotate(degrees, Image.Resampling.BILINEAR)
    margin = int(np.ceil(max(height, width) / 2 * np.sin(np.radians(abs(degrees)))))
    return np.asarray(image, np.float64)[margin : height - margin, margin : width - margin]


def cast_shadow(gray: Gray, brightness: float, blur: float, rng: np.random.Generator) -> Gray:
    """Darken one side of a straight line that crosses the middle third of the image."""
    height, width = gray.shape
    y, x = np.mgrid[:height, :width]
    angle = rng.uniform(0, 2 * np.pi)
    middle = np.array([height, width]) * rng.uniform(0.33, 0.67, 2)
    side = (y - middle[0]) * np.sin(angle) + (x - middle[1]) * np.cos(angle)
    lit = 1 / (1 + np.exp(-np.clip(side / max(0.3, blur / 2), -50, 50)))
    return gray * (brightness + (1 - brightness) * lit)


def add_glare(gray: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Add the reflection of a lamp: a round spot in which ink fades."""
    height, width = gray.shape
    y, x = np.mgrid[:height, :width]
    middle = np.array([height, width]) * rng.uniform(0.2, 0.8, 2)
    radius = rng.uniform(0.15, 0.4) * max(height, width)
    spot = strength * np.exp(-((((y - middle[0]) ** 2 + (x - middle[1]) ** 2) / radius**2) ** 2))
    return gray + (255 - gray) * spot


def table(shape: tuple[int, int], pattern: str, size: float, rng: np.random.Generator) -> Gray:
    """Draw a patterned table of two grays; `size` is half a period in pixels."""
    low, high = sorted(rng.uniform(20, 200, 2))
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle = rng.uniform(0, np.pi)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return low + (max(high, low + 40) - low) * PATTERNS[pattern](u / size, v / size, rng)


PATTERNS: dict[str, Callable[[Gray, Gray, np.random.Generator], Gray]] = {
    "checks": lambda u, v, _: ((np.floor(u) + np.floor(v)) % 2).astype(float),
    "stripes": lambda u, _v, _: np.floor(u) % 2,
    "grain": lambda u, _v, rng: _grain(u.shape, rng),
    "dots": lambda u, v, _: ((u % 2 - 1) ** 2 + (v % 2 - 1) ** 2 < 0.4).astype(float),
    "weave": lambda u, v, _: 0.5 * (np.floor(u) % 2) + 0.5 * (np.floor(v) % 2),
    "waves": lambda u, v, _: 0.5 + 0.5 * np.sin(np.pi * (u + 0.5 * np.sin(v))),
}


def _grain(shape: tuple[int, ...], rng: np.random.Generator) -> Gray:
    """Draw wood: noise that is blurred along one axis."""
    noise = Image.fromarray(rng.integers(0, 256, (shape[0], max(1, shape[1] // 12)), np.uint8))
    long = noise.resize((shape[1], shape[0]), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))
    return np.asarray(long, np.float64) / 255
