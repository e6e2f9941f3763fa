"""Corrupt ink as pens, pages, cameras and careless programs do.

The families are general, and each draws its strength at random. They map ink, float64 (S, S) in [0, 1], 1 = ink, to
float64 (S, S), which may exceed [0, 1].
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from service.imaging.normalize import SIDE

Ink = NDArray[np.float64]
Corruption = Callable[[Ink, np.random.Generator], Ink]


BAR_EDGES = ((0,), (0, 1), (0, 2), (0, 2), (0, 1, 2), (0, 1, 2, 3))
"""The edges that have a bar, in quarter turns."""


def add_noise(ink: Ink, rng: np.random.Generator) -> Ink:
    """Add Gaussian noise of a standard deviation up to 0.35."""
    return np.asarray(ink + rng.normal(0, rng.uniform(0.05, 0.35), ink.shape))


def add_impulses(ink: Ink, rng: np.random.Generator) -> Ink:
    """Set up to 20% of the pixels to black, white or gray."""
    level = rng.choice([0.0, 1.0], ink.shape) if rng.random() < 0.7 else rng.random(ink.shape)
    return np.where(rng.random(ink.shape) < rng.uniform(0.01, 0.2), level, ink)


def blur(ink: Ink, rng: np.random.Generator) -> Ink:
    """Blur with a Gaussian or, as a moving camera does, along one axis."""
    radius = rng.uniform(0.5, 2) * len(ink) / SIDE
    if rng.random() < 0.6:
        return _filtered(ink, ImageFilter.GaussianBlur(radius))
    shifts = np.arange(-round(radius), round(radius) + 1)
    return np.asarray(np.mean([np.roll(ink, shift, int(rng.integers(2))) for shift in shifts], axis=0))


def draw_lines(ink: Ink, rng: np.random.Generator) -> Ink:
    """Draw one to three polylines of up to ten points across the image, as form lines and strokes of deletion are."""
    canvas = Image.new("L", ink.shape, 0)
    for _ in range(rng.integers(1, 4)):
        points = rng.uniform(0, len(ink), (int(rng.integers(2, 11)), 2))
        if rng.random() < 0.3:
            points[:, int(rng.integers(2))] = points[0, 0]  # exactly horizontal or vertical
        elif rng.random() < 0.5:
            points = points[np.argsort(points[:, int(rng.integers(2))])]  # from one side to the other
        width = int(rng.integers(1, 2 + 2 * len(ink) // SIDE))
        ImageDraw.Draw(canvas).line([(x, y) for x, y in points], 255, width)
    return np.maximum(ink, rng.uniform(0.3, 1) * np.asarray(canvas) / 255)


def draw_frame(ink: Ink, rng: np.random.Generator) -> Ink:
    """Shrink the image into a printed box or between ruled lines."""
    side = len(ink)
    inner = int(side * rng.uniform(0.5, 0.9))
    page = np.zeros_like(ink)
    top, left = (int(rng.integers(side - inner + 1)) for _ in range(2))
    page[top : top + inner, left : left + inner] = _resized(ink, inner)
    width, level = int(rng.integers(1, 2 + side // SIDE)), rng.uniform(0.3, 1)
    for axis in (0, 1) if rng.random() < 0.6 else (int(rng.integers(2)),):
        lines = page.swapaxes(0, axis)
        for start in (int(rng.integers(0, 3)), side - width - int(rng.integers(0, 3))):
            lines[start : start + width] = np.maximum(lines[start : start + width], level)
    return page


def draw_blobs(ink: Ink, rng: np.random.Generator) -> Ink:
    """Cover up to five spots with ink or background, each up to a fifth of the side: splashes, erasures, holes."""
    image = Image.fromarray((ink * 255).astype(np.uint8))
    brush = ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 6)):
        x, y, width, height = rng.uniform((0, 0, 0.04, 0.04), (1, 1, 0.2, 0.2)) * len(ink)
        shape = brush.ellipse if rng.random() < 0.7 else brush.rectangle
        shape((x, y, x + width, y + height), fill=int(rng.choice([0, 255, 255, int(rng.integers(256))])))
    return np.asarray(image) / 255


def draw_bars(ink: Ink, rng: np.random.Generator) -> Ink:
    """Lay a bar over some edges, a third of the side wide at most: of one gray, or with what lies under it inverted."""
    page, turn = ink.copy(), int(rng.integers(4))
    is_inverted, width, level = rng.random() < 0.6, rng.uniform(0.03, 0.35), rng.uniform(0.3, 1)
    for step in BAR_EDGES[int(rng.integers(len(BAR_EDGES)))]:
        edge = np.rot90(page, turn + step)[: max(1, int(len(ink) * width))]
        edge[:] = 1 - edge if is_inverted else level
        width *= rng.uniform(0.6, 1.1)
    return page


def change_contrast(ink: Ink, rng: np.random.Generator) -> Ink:
    """Weaken the contrast, and brighten or darken the whole."""
    contrast = rng.uniform(0.2, 1)
    return np.asarray(ink * contrast + rng.uniform(0, 1 - contrast))


def add_fog(ink: Ink, rng: np.random.Generator) -> Ink:
    """Cover the image with a smooth veil, darker here than there, as shadows, fog and glare are."""
    grid = int(rng.integers(2, 7))
    veil = _resized(rng.random((grid, grid)), len(ink)) * rng.uniform(0.2, 0.8)
    return np.asarray(ink * (1 - veil) + veil)


def outline(ink: Ink, rng: np.random.Generator) -> Ink:
    """Keep only the contour of the strokes: its inner side, its outer side or both, soft or as a sharp line."""
    scale = int(rng.integers(1, 4))
    large = _resized(ink, scale * len(ink))
    if rng.random() < 0.6:
        large = (large > rng.uniform(0.2, 0.7)).astype(np.float64)
    outer = _filtered(large, ImageFilter.MaxFilter(3)) if rng.random() < 0.7 else large
    inner = _filtered(large, ImageFilter.MinFilter(3)) if rng.random() < 0.5 or outer is large else large
    contour = _resized(outer - inner, len(ink)) * rng.uniform(1, scale)
    return np.clip(contour, 0, 1)


def change_thickness(ink: Ink, rng: np.random.Generator) -> Ink:
    """Thin the strokes to about one pixel, or thicken them."""
    if rng.random() < 0.5:
        return _filtered(ink, ImageFilter.MaxFilter(3 if len(ink) < 45 else 5))
    thin = _filtered(ink, ImageFilter.MinFilter(3))
    return np.where(_filtered(thin, ImageFilter.MaxFilter(3)) < ink * 0.7, ink, thin)  # a thin stroke does not vanish


def downsample(ink: Ink, rng: np.random.Generator) -> Ink:
    """Reduce the resolution, down to 10 pixels per side."""
    return _resized(_resized(ink, int(rng.integers(10, 20))), len(ink))


def transform(ink: Ink, rng: np.random.Generator) -> Ink:
    """Turn by up to 35 degrees, slant, and stretch one axis more than the other."""
    image = Image.fromarray((ink * 255).astype(np.uint8)).rotate(rng.uniform(-35, 35), Image.Resampling.BICUBIC)
    slant, middle = rng.uniform(-0.4, 0.4), len(ink) / 2
    width, height = rng.uniform(0.8, 1.6, 2)
    matrix = (width, slant, middle * (1 - width - slant), 0, height, middle * (1 - height))
    return np.asarray(image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)) / 255


def _filtered(ink: Ink, image_filter: ImageFilter.Filter | type[ImageFilter.Filter]) -> Ink:
    """Apply one of Pillow's filters."""
    return np.asarray(Image.fromarray((ink * 255).astype(np.uint8)).filter(image_filter)) / 255


def _resized(ink: Ink, side: int) -> Ink:
    """Resize to `side` pixels in both directions."""
    image = Image.fromarray((ink * 255).astype(np.uint8)).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image) / 255


CORRUPTIONS: tuple[Corruption, ...] = (
    *(add_noise, add_impulses, blur, draw_lines, draw_frame, draw_blobs, draw_bars, change_contrast, add_fog),
    *(outline, change_thickness, downsample, transform),
)
