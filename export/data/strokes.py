"""Draw digits as pen strokes, in forms that are common worldwide but missing in MNIST, whose writers were American."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Stroke = list[tuple[float, float]]
"""The points of one pen stroke: x to the right and y down, 0 to 1."""

FLAG: Stroke = [(0.25, 0.38), (0.42, 0.22), (0.55, 0.05)]
STEM: Stroke = [(0.55, 0.05), (0.54, 0.5), (0.54, 0.95)]
FOOT: Stroke = [(0.3, 0.95), (0.54, 0.95), (0.78, 0.94)]
ROOF: Stroke = [(0.18, 0.08), (0.5, 0.07), (0.82, 0.07)]
LEG: Stroke = [(0.82, 0.07), (0.62, 0.45), (0.45, 0.95)]
BAR: Stroke = [(0.38, 0.5), (0.56, 0.49), (0.76, 0.48)]


@dataclass(frozen=True)
class Form:
    """One way to write a digit. count: the number of images of it in the training data."""

    digit: int
    strokes: tuple[Stroke, ...]
    count: int


FORMS = (
    Form(1, (FLAG, STEM), 1600),
    Form(1, ([(0.12, 0.5), (0.35, 0.28), (0.6, 0.05)], [(0.6, 0.05), (0.6, 0.5), (0.58, 0.95)]), 1000),
    Form(1, (FLAG, STEM, FOOT), 1200),
    Form(1, ([(0.38, 0.2), (0.46, 0.14), (0.55, 0.05)], STEM), 800),
    Form(1, ([(0.38, 0.2), (0.46, 0.14), (0.55, 0.05)], STEM, FOOT), 600),
    Form(7, (ROOF, LEG, BAR), 1200),
    Form(7, (ROOF, LEG), 700),
    Form(7, ([(0.18, 0.22), (0.18, 0.14), (0.19, 0.06)], ROOF, LEG), 500),
    Form(7, ([(0.18, 0.22), (0.18, 0.14), (0.19, 0.06)], ROOF, LEG, BAR), 400),
    Form(4, ([(0.62, 0.95), (0.63, 0.5), (0.64, 0.05)], [(0.64, 0.05), (0.38, 0.36), (0.12, 0.68)],
             [(0.12, 0.68), (0.5, 0.68), (0.9, 0.67)]), 700),
    Form(4, ([(0.3, 0.05), (0.24, 0.3), (0.18, 0.56)], [(0.18, 0.56), (0.5, 0.56), (0.88, 0.55)],
             [(0.7, 0.2), (0.69, 0.6), (0.68, 0.96)]), 400),
    Form(9, ([(0.74, 0.2), (0.5, 0.05), (0.26, 0.22), (0.34, 0.46), (0.6, 0.44), (0.76, 0.18)],
             [(0.76, 0.18), (0.75, 0.55), (0.74, 0.95)]), 500),
    Form(9, ([(0.74, 0.2), (0.5, 0.05), (0.26, 0.22), (0.34, 0.46), (0.6, 0.44), (0.76, 0.18), (0.77, 0.6),
              (0.62, 0.9), (0.3, 0.94)],), 600),
    Form(2, ([(0.2, 0.25), (0.4, 0.06), (0.7, 0.12), (0.75, 0.38), (0.5, 0.68), (0.18, 0.93)],
             [(0.18, 0.93), (0.5, 0.93), (0.85, 0.92)]), 500),
    Form(6, ([(0.3, 0.05), (0.24, 0.4), (0.22, 0.7)], [(0.22, 0.7), (0.3, 0.93), (0.6, 0.95), (0.76, 0.76),
             (0.62, 0.56), (0.38, 0.58), (0.22, 0.7)]), 300),
    Form(6, ([(0.62, 0.05), (0.35, 0.08), (0.25, 0.3), (0.24, 0.92)], [(0.24, 0.92), (0.5, 0.93), (0.76, 0.92)],
             [(0.76, 0.92), (0.77, 0.72), (0.76, 0.52)], [(0.76, 0.52), (0.5, 0.51), (0.25, 0.52)]), 300),
    Form(0, ([(0.5, 0.05), (0.2, 0.15), (0.12, 0.5), (0.2, 0.85), (0.5, 0.95), (0.8, 0.85), (0.88, 0.5), (0.8, 0.15),
              (0.5, 0.05)],), 300),
    Form(3, (ROOF, [(0.82, 0.07), (0.62, 0.25), (0.45, 0.42)],
             [(0.45, 0.42), (0.75, 0.5), (0.8, 0.78), (0.52, 0.96), (0.18, 0.87)]), 400),
    Form(5, ([(0.8, 0.06), (0.55, 0.06), (0.3, 0.06)], [(0.3, 0.06), (0.29, 0.25), (0.28, 0.44)],
             [(0.28, 0.44), (0.55, 0.4), (0.8, 0.6), (0.74, 0.88), (0.45, 0.96), (0.2, 0.88)]), 300),
    Form(8, ([(0.5, 0.05), (0.28, 0.14), (0.28, 0.36), (0.5, 0.46), (0.72, 0.36), (0.72, 0.14), (0.5, 0.05)],
             [(0.5, 0.46), (0.22, 0.58), (0.2, 0.84), (0.5, 0.96), (0.8, 0.84), (0.78, 0.58), (0.5, 0.46)]), 300),
)  # fmt: skip


def smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate points, float64 (n, 2), by a Catmull-Rom curve. Returns 60 points per segment, float64 (m, 2)."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, 60)[:, np.newaxis]
    segments = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        segments.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3))
    return np.concatenate(segments)


def draw_stroke(canvas: Image.Image, points: NDArray[np.float64], width: float) -> None:
    """Draw a white line of this width in pixels along the points, float64 (n, 2) in pixels, on a mode L canvas."""
    brush = ImageDraw.Draw(canvas)
    for x, y in points:
        brush.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)


def render_form(form: Form, rng: np.random.Generator, side: int = 64) -> NDArray[np.uint8]:
    """Draw a form with random slant, tilt, stroke width and jitter: uint8 (side, side), 255 = ink."""
    shear, tilt = rng.normal(0, 0.12), rng.normal(0, 0.08)
    width, height = 0.8 * rng.uniform(0.6, 1.05), 0.8
    transform = np.array([[width, -tilt * height], [tilt * width - shear * width, height]])
    canvas = Image.new("L", (side * 2, side * 2), 0)
    # One shift per distinct point, so that strokes that share a point stay joined.
    jitter = {point: rng.normal(0, 0.025, 2) for stroke in form.strokes for point in stroke}
    stroke_width = rng.uniform(0.04, 0.16) * side * 2 * height
    for stroke in form.strokes:
        points = np.array([point + jitter[point] for point in stroke])
        draw_stroke(canvas, ((smooth(points) - 0.5) @ transform + 0.5) * side * 2, stroke_width)
    return np.asarray(canvas.resize((side, side), Image.Resampling.BOX))
