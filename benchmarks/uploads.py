"""The uploads of a crowd: photos of 12 megapixels, a PNG, base64 and junk, 4 to 10 MB each."""

import base64
import json
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks.payloads import BOUNDARY
from examples.draw import Example, draw

DIGIT = 7


@dataclass(frozen=True)
class Upload:
    """One POST request. status: that of its response in the end."""

    name: str
    path: str
    content_type: str
    body: bytes
    status: int = 200


def all_uploads() -> list[Upload]:
    """Build one upload of each kind."""
    photo = _photo(4000, 3000, noise=9)
    baseline = _encode(photo, "JPEG", quality=96)
    progressive = _encode(photo, "JPEG", quality=96, progressive=True)
    gray = _encode(_photo(3464, 2598, noise=4).convert("L"), "PNG")
    junk = np.random.default_rng(1).bytes(8_000_000)
    return [
        Upload("baseline JPEG, 12 MP, multipart", "/predict", FORM, _form(baseline)),
        Upload("progressive JPEG, 12 MP, multipart", "/predict", FORM, _form(progressive)),
        Upload("baseline JPEG, 12 MP, raw", "/predict", "image/jpeg", _encode(photo, "JPEG", quality=98)),
        Upload("progressive JPEG, 12 MP, raw", "/predict", "image/jpeg", progressive),
        Upload("PNG, 3 MP, raw", "/predict", "image/png", _encode(_photo(2000, 1500, noise=4), "PNG")),
        Upload("PNG, 9 MP gray, multipart", "/predict", FORM, _form(gray)),
        Upload("progressive JPEG, 12 MP, base64", "/predict-base64", "application/json", _document(progressive)),
        Upload("baseline JPEG, 12 MP, batch", "/predict-batch", FORM, _form(baseline, "files")),
        Upload("junk, multipart", "/predict", FORM, _form(junk), 400),
        Upload("junk as PNG, raw", "/predict", "image/png", b"\x89PNG\r\n\x1a\n" + junk, 400),
    ]


FORM = f"multipart/form-data; boundary={BOUNDARY}"


def _photo(width: int, height: int, noise: float) -> Image.Image:
    """Put a digit on a page with uneven light and color noise of a standard deviation in gray levels."""
    page = Image.new("L", (width, height), 255)
    side = min(width, height)
    page.paste(draw(Example(DIGIT, (side, side), "png")), ((width - side) // 2, 0))
    ink = 1 - np.asarray(page.filter(ImageFilter.GaussianBlur(3)), np.float32) / 255
    light = (np.linspace(170, 215, width) * (1 - 0.7 * ink)).astype(np.float32)
    rng = np.random.default_rng(0)
    bands = [Image.fromarray(_add_noise(light, noise, rng)) for _ in range(3)]
    return Image.merge("RGB", bands)


def _add_noise(gray: NDArray[np.float32], noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.clip(gray + rng.standard_normal(gray.shape, np.float32) * noise, 0, 255).astype(np.uint8)


def _encode(image: Image.Image, image_format: str, **options: int) -> bytes:
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def _form(content: bytes, field: str = "file") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{field}"; filename="digit"'
    return f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def _document(content: bytes) -> bytes:
    return json.dumps({"image": base64.b64encode(content).decode()}).encode()
