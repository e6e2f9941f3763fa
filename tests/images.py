"""Encoded images of a digit for tests, in every format and mode that a client may send."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from examples.draw import Example, draw

DIGIT = 7
SEVEN = draw(Example(DIGIT, (120, 120), "png"))  # mode L, black on white


def encode(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    """Encode an image as the bytes of a file."""
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (H, W) or (H, W, 3) as a PNG file."""
    return encode(Image.fromarray(pixels))


def half_inverted(image: Image.Image) -> Image.Image:
    """Invert the left 50 of 120 columns: no rule tells ink from background, so that the first reading is doubtful."""
    pixels = np.asarray(image).copy()
    pixels[:, :50] = 255 - pixels[:, :50]
    return Image.fromarray(pixels)


def line_of(digits: str, gap: int = 30, height: int = 100) -> Image.Image:
    """Draw digits in one line, `gap` pixels apart, black on white. A negative gap lets them touch."""
    size = (height, height)
    drawn = [1 - np.asarray(draw(Example(int(digit), size, "png", height=0.9))) / 255 for digit in digits]
    cropped = [ink[:, ink.any(axis=0)] for ink in drawn]
    width = sum(ink.shape[1] for ink in cropped) + (len(digits) - 1) * gap + height
    page = np.zeros((2 * height, width))
    left = height // 2
    for ink in cropped:
        region = page[height // 2 : height // 2 + height, left : left + ink.shape[1]]
        np.maximum(region, ink, out=region)
        left += ink.shape[1] + gap
    return Image.fromarray((255 * (1 - page)).astype(np.uint8))


def empty_png(width: int, height: int) -> bytes:
    """Return a PNG that declares any size but holds no pixels, as a decompression bomb does."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
