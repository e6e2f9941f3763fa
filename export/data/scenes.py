"""Render digits as the images that clients send, drawings and photos, and preprocess them as the service does."""

import os
import signal
from collections.abc import Callable, Sequence
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.pool import Pool
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from export.data.dataset import Dataset
from export.data.strokes import FORMS, Form, render_form
from export.progress import Progress
from service.errors import ImageError
from service.imaging.normalize import SIDE, normalize_digit

MAX_ATTEMPTS = 5

Item = TypeVar("Item")


def normalize_dataset(digits: Dataset) -> Dataset:
    """Preprocess images, uint8 (N, 28, 28), to float32 (N, 1, 28, 28) in [0, 1]."""
    return Dataset(np.stack([normalize_digit(image) for image in digits.images])[:, np.newaxis], digits.labels)


def photograph_dataset(digits: Dataset, seed: int) -> Dataset:
    """Render each image, uint8 (N, 28, 28), in a random scene, and preprocess it: float32 (N, 1, 28, 28) in [0, 1]."""
    return Dataset(
        map_parallel(_normalized_scene, list(digits.images), seed, "Rendering MNIST as drawings and photos"),
        digits.labels,
    )


def draw_dataset(seed: int, forms: Sequence[Form] = FORMS) -> Dataset:
    """Render `form.count` scenes of each form, preprocessed: float32 (N, 1, 28, 28) in [0, 1]."""
    repeated = [form for form in forms for _ in range(form.count)]
    return Dataset(
        map_parallel(_drawn_scene, repeated, seed, "Drawing digit forms"), np.array([form.digit for form in repeated])
    )


def render_scene(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Render a digit, uint8 (S, S), S >= 28, 255 = ink, as a larger image, uint8 (H, W), of either polarity.

    Half of the scenes are clean, as drawing programs make them. The others have uneven light, texture and specks, as
    photos have.
    """
    page = _paste_on_page(_enlarge(ink, rng), rng)
    is_clean = rng.random() < 0.5
    background = _even_background(page.shape, rng) if is_clean else _shaded_background(page.shape, rng)
    contrast = rng.uniform(0.4, 1) if is_clean else rng.uniform(0.25, 0.9)
    ink_level = 0.0 if background.mean() > 127 else 255.0
    gray = background + (ink_level - background) * contrast * page
    if not is_clean:
        gray = _add_artifacts(gray, rng)
    return _blur_and_compress(np.clip(gray, 0, 255).astype(np.uint8), rng)


def map_parallel(
    render: Callable[[Item, np.random.Generator], NDArray[np.float32]],
    items: Sequence[Item],
    seed: int,
    description: str,
) -> NDArray[np.float32]:
    """Call `render` on each item in parallel processes, and stack the results in order. Shows progress.

    Each item has a generator of its own, so the result depends on the seed but not on the number of processes.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(items))
    jobs = [(render, item, child) for item, child in zip(items, seeds, strict=True)]
    with _start_pool() as pool:
        results = pool.imap(_run_job, jobs, chunksize=200)
        return np.stack(list(Progress(results, description, total=len(jobs))))


def _start_pool() -> Pool:
    """Start one process per CPU. They ignore Ctrl-C, because this process stops them."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: an initializer would run after their imports
    try:
        return get_context("spawn").Pool(os.cpu_count())
    finally:
        signal.signal(signal.SIGINT, handler)


def _run_job(
    job: tuple[Callable[[Item, np.random.Generator], NDArray[np.float32]], Item, np.random.SeedSequence],
) -> NDArray[np.float32]:
    """Render one item, in a process of the pool."""
    render, item, seed = job
    return render(item, np.random.default_rng(seed))


def _normalized_scene(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Render and preprocess one scene, float32 (1, 28, 28). Scenes that the service rejects are rendered again."""
    for _ in range(MAX_ATTEMPTS):
        try:
            return normalize_digit(render_scene(ink, rng))[np.newaxis]
        except ImageError:
            continue
    return normalize_digit(ink)[np.newaxis]


def _drawn_scene(form: Form, rng: np.random.Generator) -> NDArray[np.float32]:
    """Render a scene of one form and preprocess it: float32 (1, 28, 28) in [0, 1]."""
    return _normalized_scene(render_form(form, rng), rng)


def _enlarge(ink: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Resize to a random side of 28 to 159 pixels. If enlarged, sharpen the edges and vary the stroke width."""
    side = int(rng.integers(SIDE, 160))
    large = np.asarray(Image.fromarray(ink).resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255
    steepness, threshold = max(2.0, side / 30), rng.uniform(0.3, 0.6)
    sharp = np.clip((large - threshold) * steepness + 0.5, 0, 1) if side > 1.3 * len(ink) else large
    return Image.fromarray((sharp * 255).astype(np.uint8))


def _paste_on_page(digit: Image.Image, rng: np.random.Generator) -> NDArray[np.float64]:
    """Paste at a random position on a page of up to three times the size: float64 (H, W) in [0, 1], 1 = ink."""
    width, height = (int(digit.width * rng.uniform(1.05, 3)) for _ in range(2))
    page = Image.new("L", (width, height), 0)
    page.paste(digit, (int(rng.integers(width - digit.width + 1)), int(rng.integers(height - digit.height + 1))))
    return np.asarray(page) / 255


def _even_background(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return one gray level, white in half of the cases: float64 (H, W), 0 to 255."""
    return np.full(shape, rng.choice([255, 255, 0, rng.uniform(0, 255)]))


def _shaded_background(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a surface under uneven light, with texture: float64 (H, W), about 0 to 255."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    slope = rng.normal(0, 14, 5)
    shade = slope[0] * y + slope[1] * x + slope[2] * x * y + slope[3] * x * x + slope[4] * y * y
    texture = rng.normal(0, rng.uniform(0, 5), shape)
    level = rng.uniform(110, 235) if rng.random() < 0.9 else rng.uniform(20, 90)
    return np.asarray(level + shade + texture)


def _add_artifacts(gray: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Add up to three specks, and in a tenth of the cases a stripe at the right border, as where a page ends."""
    height, width = gray.shape
    for _ in range(rng.integers(0, 4)):
        top, left, size = rng.integers(height), rng.integers(width), rng.integers(1, 3)
        gray[top : top + size, left : left + size] += rng.normal(0, 60)
    if rng.random() < 0.1:
        stripe = int(rng.uniform(0, 0.06) * width)
        gray[:, width - stripe :] = rng.uniform(0, 255)
    return gray


def _blur_and_compress(gray: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur the image in 40% of the cases, and compress it as JPEG in half of them."""
    image = Image.fromarray(gray)
    if rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1 + min(gray.shape) / 150)))
    if rng.random() < 0.5:
        file = BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(35, 95)))
        image = Image.open(file)
    return np.asarray(image)
