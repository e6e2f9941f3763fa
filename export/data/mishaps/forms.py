"""The list of mishaps, and labeled images of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from export.data.dataset import Dataset
from export.data.image_file import encode_jpeg, encode_png
from export.data.mishaps import crops, marks, pages
from export.data.mishaps.crops import Digit, Image8
from export.data.mishaps.ranges import EVAL, TRAIN, Ranges
from export.data.scenes import MAX_ATTEMPTS, map_parallel
from service.errors import ImageError
from service.imaging.normalize import normalize_digit

Render = Callable[[Digit, np.random.Generator, Ranges], Image8]
"""Renders a digit, uint8 (28, 28), 255 = ink, as an image, uint8 (H, W), 0 = black."""

FORMS: dict[str, Render] = {
    "tight crop, light on dark": crops.tight_crop,
    "tight crop, dark on light": crops.tight_dark_crop,
    "tight crop, enlarged": crops.large_crop,
    "tight crop of a photo": crops.photo_crop,
    "crop stretched to a square": crops.stretched_crop,
    "1.5 to 3% of a page": partial(pages.small_on_page, share=(0.015, 0.03)),
    "3 to 6% of a page": partial(pages.small_on_page, share=(0.03, 0.06)),
    "6 to 10% of a page": partial(pages.small_on_page, share=(0.06, 0.10)),
    "printed box": pages.printed_box,
    "one of several boxes": pages.form_boxes,
    "ruled paper": pages.ruled,
    "squared paper": pages.squared,
    "edge of a cast shadow": pages.shadow,
    "glare": pages.glare,
    "page on a patterned table": pages.patterned_table,
    "one-pixel pen": pages.thin_pen,
    "thick pen": pages.thick_pen,
    "turned up to 25 degrees": pages.turned,
    "specks": pages.specks,
    "salt and pepper, 28 x 28": crops.impulse_noise,
    "salt and pepper, larger": crops.large_impulse_noise,
    "Gaussian noise": crops.gaussian_noise,
    "stripes along edges": crops.edge_stripes,
    "inverted edges": crops.inverted_edges,
    "outlines, 28 x 28": crops.small_outline,
    "outlines, larger": pages.large_outline,
    "faint ink": pages.faint,
    "blurred": crops.blurred,
    "crossed by a line": pages.crossed_by_line,
    "circled by hand": marks.circled,
    "sign before the digit": marks.sign_before,
    "small on 28 x 28": crops.small_drawing,
}

TRAIN_FORMS = (
    "one-pixel pen",
    "thick pen",
    "turned up to 25 degrees",
    "salt and pepper, 28 x 28",
    "Gaussian noise",
    "inverted edges",
    "outlines, 28 x 28",
    "outlines, larger",
    "faint ink",
    "blurred",
    "crossed by a line",
)
"""Forms whose first reading shows the digit, whatever happened to it. An alternative shows the others unharmed."""

EVAL_SEED = 2_000

MIN_JPEG_SIDE = 64
JPEG_SHARE = 0.25
"""Phones and scanners send JPEG. Smaller images come from programs."""


@dataclass(frozen=True)
class MishapImage:
    """A labeled image file of one form."""

    form: str
    label: int
    image_bytes: bytes


def eval_mishaps(digits: Dataset, count: int, ranges: Ranges = EVAL, seed: int = EVAL_SEED) -> Iterator[MishapImage]:
    """Render `count` images of each form from digits, uint8 (N, 28, 28), drawn at random with the seed."""
    for index, (form, render) in enumerate(FORMS.items()):
        rng = np.random.default_rng([seed, index])
        for choice in rng.choice(len(digits), count, replace=False):
            pixels = render(digits.images[choice], rng, ranges)
            yield MishapImage(form, int(digits.labels[choice]), _encode(pixels, rng))


def train_mishaps(digits: Dataset, seed: int) -> Dataset:
    """Render each digit, uint8 (N, 28, 28), in a random form of TRAIN_FORMS: float32 (N, 1, 28, 28) in [0, 1].

    The images are first readings by the service. An image in which it finds no digit is rendered again.
    """
    return Dataset(map_parallel(_normalized_mishap, list(digits.images), seed, "Rendering mishaps"), digits.labels)


def _normalized_mishap(digit: Digit, rng: np.random.Generator) -> NDArray[np.float32]:
    """Render one mishap and preprocess it: float32 (1, 28, 28) in [0, 1]."""
    for _ in range(MAX_ATTEMPTS):
        form = TRAIN_FORMS[int(rng.integers(len(TRAIN_FORMS)))]
        try:
            return normalize_digit(FORMS[form](digit, rng, TRAIN))[np.newaxis]
        except ImageError:
            continue
    return normalize_digit(digit)[np.newaxis]


def _encode(pixels: Image8, rng: np.random.Generator) -> bytes:
    """Encode as PNG, or a fourth of the images larger than 64 pixels as JPEG."""
    if min(pixels.shape) > MIN_JPEG_SIDE and rng.random() < JPEG_SHARE:
        return encode_jpeg(pixels, int(rng.integers(70, 95)))
    return encode_png(pixels)
