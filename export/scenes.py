"""What people send: digits on paper, canvases and photos, brought back to 28 x 28 by the service's own eyes."""

import os
from collections.abc import Callable, Sequence
from io import BytesIO
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from tqdm import tqdm

from export.data import Digits
from export.strokes import FORMS, Form, write
from service.errors import ImageError
from service.preprocess import SIDE, to_canvas

Picture = NDArray[np.uint8]
Canvases = NDArray[np.float32]
Rng = np.random.Generator
Labelled = tuple[Canvases, NDArray[np.int64]]
"""Canvases, float32 (N, 1, 28, 28) in [0, 1], and labels, int64 (N,)."""

Item = TypeVar("Item")


def plain(digits: Digits) -> Labelled:
    """MNIST's images as they are, through the service's preprocessing."""
    return np.stack([to_canvas(image) for image in digits.images])[:, np.newaxis], digits.labels


def photographed(digits: Digits, seed: int) -> Labelled:
    """Each image as a picture that someone might send, through the service's preprocessing."""
    return in_parallel(_photograph, list(digits.images), seed), digits.labels


def drawn(seed: int, forms: Sequence[Form] = FORMS) -> Labelled:
    """The forms that MNIST lacks, written and photographed, through the service's preprocessing."""
    each = [form for form in forms for _ in range(form.count)]
    return in_parallel(_draw, each, seed), np.array([form.digit for form in each])


def picture_of(ink: Picture, rng: Rng) -> Picture:
    """Put a digit, uint8 (28, 28) or larger, 255 = ink, into a picture: uint8 (H, W) of any polarity.

    Half are clean, as paint programs and canvases make them; half have a photo's light, texture and dirt.
    """
    digit = _enlarge(ink, rng)
    page = _place(digit, rng)
    clean = rng.random() < 0.5
    paper = np.full(page.shape, rng.choice([255, 255, 0, rng.uniform(0, 255)])) if clean else _light(page.shape, rng)
    contrast = rng.uniform(0.4, 1) if clean else rng.uniform(0.25, 0.9)
    goal = 0.0 if paper.mean() > 127 else 255.0
    picture = paper + (goal - paper) * contrast * page
    if not clean:
        picture = _dirt(picture, rng)
    return _camera(np.clip(picture, 0, 255).astype(np.uint8), rng)


def _photograph(ink: Picture, rng: Rng) -> Canvases:
    """One canvas, float32 (1, 28, 28); a picture that cannot be read teaches nothing: try another."""
    for _ in range(5):
        try:
            return to_canvas(picture_of(ink, rng))[np.newaxis]
        except ImageError:
            continue
    return to_canvas(ink)[np.newaxis]


def _draw(form: Form, rng: Rng) -> Canvases:
    return _photograph(write(form, rng), rng)


def _enlarge(ink: Picture, rng: Rng) -> Image.Image:
    """To 28 to 160 pixels, with edges as sharp as a pen's and strokes thinner or thicker than they were."""
    side = int(rng.integers(SIDE, 160))
    large = np.asarray(Image.fromarray(ink).resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255
    steep, middle = max(2.0, side / 30), rng.uniform(0.3, 0.6)
    sharp = np.clip((large - middle) * steep + 0.5, 0, 1) if side > 1.3 * len(ink) else large
    return Image.fromarray((sharp * 255).astype(np.uint8))


def _place(digit: Image.Image, rng: Rng) -> NDArray[np.float64]:
    """Somewhere on a page of up to three times its size: float64 (H, W), 1 = ink."""
    width, height = (int(digit.width * rng.uniform(1.05, 3)) for _ in range(2))
    page = Image.new("L", (width, height), 0)
    page.paste(digit, (int(rng.integers(width - digit.width + 1)), int(rng.integers(height - digit.height + 1))))
    return np.asarray(page) / 255


def _light(shape: tuple[int, ...], rng: Rng) -> NDArray[np.float64]:
    """Paper under uneven light, with a texture: float64 (H, W), 0 to 255."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    slope = rng.normal(0, 14, 5)
    shade = slope[0] * y + slope[1] * x + slope[2] * x * y + slope[3] * x * x + slope[4] * y * y
    grain = rng.normal(0, rng.uniform(0, 5), shape)
    level = rng.uniform(110, 235) if rng.random() < 0.9 else rng.uniform(20, 90)
    return np.asarray(level + shade + grain)


def _dirt(picture: NDArray[np.float64], rng: Rng) -> NDArray[np.float64]:
    """Specks, and now and then the page's end."""
    height, width = picture.shape
    for _ in range(rng.integers(0, 4)):
        top, left, size = rng.integers(height), rng.integers(width), rng.integers(1, 3)
        picture[top : top + size, left : left + size] += rng.normal(0, 60)
    if rng.random() < 0.1:
        end = int(rng.uniform(0, 0.06) * width)
        picture[:, width - end :] = rng.uniform(0, 255)
    return picture


def _camera(picture: Picture, rng: Rng) -> Picture:
    """Blurred by the lens, compressed by the phone, or neither."""
    image = Image.fromarray(picture)
    if rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1 + min(picture.shape) / 150)))
    if rng.random() < 0.5:
        file = BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(35, 95)))
        image = Image.open(file)
    return np.asarray(image)


def in_parallel(work: Callable[[Item, Rng], Canvases], items: Sequence[Item], seed: int) -> Canvases:
    """Each item with a generator of its own, so that the result does not depend on the number of processes."""
    seeds = np.random.SeedSequence(seed).spawn(len(items))
    jobs = [(work, item, child) for item, child in zip(items, seeds, strict=True)]
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        return np.stack(list(tqdm(pool.imap(_one, jobs, chunksize=200), total=len(jobs), unit="picture", leave=False)))


def _one(job: tuple[Callable[[Item, Rng], Canvases], Item, np.random.SeedSequence]) -> Canvases:
    work, item, seed = job
    return work(item, np.random.default_rng(seed))
