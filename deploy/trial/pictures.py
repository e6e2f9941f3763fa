"""Pictures to try the service with: the examples, and one of them in every format that decoding knows."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
ORIENTATION_TAG = 0x0112
ROTATED = 6  # EXIF: turn it a quarter clockwise to show it upright


@dataclass(frozen=True)
class Picture:
    """An encoded image. digit: what it shows, None if it shows none."""

    name: str
    content_type: str
    content: bytes
    digit: int | None = None


def read_examples(folder: Path) -> list[Picture]:
    """Read the example images, whose names begin with their digit."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in TYPES)
    return [Picture(path.name, TYPES[path.suffix], path.read_bytes(), int(path.name[0])) for path in paths]


def draw_variants(example: Picture) -> list[Picture]:
    """Encode an example in each mode of PNG and JPEG, turn it, enlarge it, and make it doubtful or damaged."""
    gray = Image.open(BytesIO(example.content)).convert("L")
    large = gray.resize((4000, 3000))
    variants = [
        _png("RGB", gray.convert("RGB")),
        _png("palette", gray.convert("P")),
        _png("palette with transparency", gray.convert("P"), transparency=255),
        _png("bilevel", gray.convert("1")),
        _png("gray with alpha", gray.convert("LA")),
        _png("stroke in alpha", _stroke_in_alpha(gray)),
        _png("16 bits", Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)),
        _jpeg("RGB", gray.convert("RGB")),
        _jpeg("CMYK", gray.convert("CMYK")),
        _jpeg("progressive", gray, progressive=True),
        _jpeg("12 megapixels", large.convert("RGB")),
        _jpeg("progressive, 12 megapixels", large.convert("RGB"), progressive=True),
        _jpeg("rotated", gray.rotate(90, expand=True), exif=_rotation()),
        _png("half inverted", _half_inverted(gray)),
        _png("blank", Image.new("L", (100, 100), 255)),
        Picture("truncated", example.content_type, example.content[: len(example.content) // 2]),
        Picture("junk", example.content_type, b"no image"),
        Picture("empty", example.content_type, b""),
        Picture("forbidden type", "image/gif", example.content),
    ]
    return [*variants, _number([gray, gray.rotate(180)])]


def _png(name: str, image: Image.Image, **options: Any) -> Picture:
    return Picture(f"PNG, {name}", "image/png", _encode(image, "PNG", **options))


def _jpeg(name: str, image: Image.Image, **options: Any) -> Picture:
    return Picture(f"JPEG, {name}", "image/jpeg", _encode(image, "JPEG", **options))


def _encode(image: Image.Image, image_format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def _rotation() -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = ROTATED
    return exif


def _stroke_in_alpha(gray: Image.Image) -> Image.Image:
    return Image.merge("LA", (Image.new("L", gray.size), gray.point(lambda level: 255 - level)))


def _half_inverted(gray: Image.Image) -> Image.Image:
    """Invert the left half: no rule tells ink from background, so that every alternative reading is tried."""
    pixels = np.asarray(gray).copy()
    pixels[:, : pixels.shape[1] // 2] = 255 - pixels[:, : pixels.shape[1] // 2]
    return Image.fromarray(pixels)


def _number(digits: list[Image.Image]) -> Picture:
    line = Image.fromarray(np.hstack([np.asarray(digit) for digit in digits]))
    return _png("number", line)
