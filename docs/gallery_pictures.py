"""The pictures of docs/gallery.md: what they show, and how they are drawn. Programs drew all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.data.image_file import encode_png
from export.data.mishaps.forms import FORMS as MISHAPS
from export.data.mishaps.ranges import EVAL
from export.data.numbers import draw_number
from export.data.outliers import EVAL_DRAWINGS, outlier_scene
from export.data.scenes import render_scene
from export.data.strokes import FORMS, render_form

Gray = NDArray[np.uint8]

EXAMPLE_FOLDER = Path(__file__).parent.parent / "examples"


@dataclass(frozen=True)
class Picture:
    """A file, read as digit-predict reads its sources.

    truth: its digits from left to right, empty if it shows none. draw: the bytes of the file. note: why it is misread.
    """

    name: str
    truth: str
    draw: Callable[[], bytes]
    note: str = ""

    @cached_property
    def content(self) -> bytes:
        """The file, drawn once."""
        return self.draw()

    def read(self) -> bytes:
        """Return the file."""
        return self.content


def example(name: str) -> Picture:
    """Show a file of examples/."""
    return Picture(name, name[0], (EXAMPLE_FOLDER / name).read_bytes)


def line(name: str, truth: str, draw: Callable[[], Gray], note: str = "") -> Picture:
    """Show a line of digits that is drawn as uint8 (H, W), 0 = black."""
    return Picture(name, truth, lambda: encode_png(draw()), note)


def blank(name: str) -> Picture:
    """Show white paper."""
    return Picture(name, "", lambda: encode_png(np.full((200, 200), 255, np.uint8)))


def mishap(form: str, seed: int, note: str = "") -> Picture:
    """Write a digit to which something happened, as `make evaluate` does."""

    def draw() -> bytes:
        rng = np.random.default_rng(seed)
        return encode_png(MISHAPS[form](_write(rng)[1], rng, EVAL))

    return Picture(form, str(_write(np.random.default_rng(seed))[0]), draw, note)


def scene(name: str, seed: int, note: str = "") -> Picture:
    """Write a digit and take it as a drawing or a photo."""

    def draw() -> bytes:
        rng = np.random.default_rng(seed)
        return encode_png(render_scene(_write(rng, 64)[1], rng))

    return Picture(name, str(_write(np.random.default_rng(seed), 64)[0]), draw, note)


def outlier(name: str, kind: str, seed: int, note: str = "") -> Picture:
    """Draw an outlier, as `make evaluate` does."""
    return Picture(name, "", lambda: encode_png(outlier_scene(EVAL_DRAWINGS[kind], np.random.default_rng(seed))), note)


def number(name: str, seed: int, note: str = "") -> Picture:
    """Write two to five digits in one line, apart or touching."""
    rng = np.random.default_rng(seed)
    digits = [_write(rng) for _ in range(int(rng.integers(2, 6)))]
    ink = np.pad(draw_number(np.stack([ink for _, ink in digits]), rng), 20)
    page = (255 - ink).round().astype(np.uint8)
    return Picture(name, "".join(str(digit) for digit, _ in digits), partial(encode_png, page), note)


def _write(rng: np.random.Generator, side: int = 28) -> tuple[int, Gray]:
    """Write a digit of a random form: the digit, and uint8 (side, side), 255 = ink."""
    form = FORMS[int(rng.integers(len(FORMS)))]
    return form.digit, render_form(form, rng, side)
