"""What is sent: three pictures of a digit, each in three ways."""

import base64
import json
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from examples.draw import Picture, draw

DIGIT = 7
BOUNDARY = "----boundary"


@dataclass(frozen=True)
class Request:
    """One POST, as a load generator repeats it."""

    name: str
    path: str
    content_type: str
    body: bytes


def all_requests() -> list[Request]:
    """28 x 28 PNG, 280 x 280 RGB PNG and 12-megapixel JPEG; multipart, raw and base64."""
    return [request for name, (kind, picture) in pictures().items() for request in _ways(name, kind, picture)]


def pictures() -> dict[str, tuple[str, bytes]]:
    """The media type and the bytes of each picture, by its name."""
    seven = draw(Picture(DIGIT, (3000, 3000), "png"))
    small = seven.resize((28, 28), Image.Resampling.BOX)
    drawing = seven.resize((280, 280), Image.Resampling.BOX).convert("RGB")
    return {
        "28x28 PNG": ("image/png", _file(small, "PNG")),
        "280x280 PNG": ("image/png", _file(drawing, "PNG")),
        "12 MP JPEG": ("image/jpeg", _file(_photo(seven), "JPEG", quality=88)),
    }


def _photo(digit: Image.Image) -> Image.Image:
    """The digit on 4000 x 3000 pixels of paper, unevenly lit, with a sensor's noise."""
    page = Image.new("L", (4000, 3000), 255)
    page.paste(digit, (500, 0))
    ink = 1 - np.asarray(page.filter(ImageFilter.GaussianBlur(3)), np.float32) / 255
    light = np.linspace(170, 215, 4000, dtype=np.float32) * (1 - 0.7 * ink)
    noise = np.random.default_rng(0).normal(0, 5, light.shape).astype(np.float32)
    return Image.fromarray(np.clip(light + noise, 0, 255).astype(np.uint8)).convert("RGB")


def _file(image: Image.Image, kind: str, quality: int = 75) -> bytes:
    file = BytesIO()
    image.save(file, kind, quality=quality)
    return file.getvalue()


def _ways(name: str, kind: str, picture: bytes) -> list[Request]:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="digit"\r\nContent-Type: {kind}\r\n\r\n'
    )
    form = head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    document = json.dumps({"image": base64.b64encode(picture).decode()}).encode()
    return [
        Request(f"{name}, multipart", "/predict", f"multipart/form-data; boundary={BOUNDARY}", form),
        Request(f"{name}, raw", "/predict", kind, picture),
        Request(f"{name}, base64", "/predict-base64", "application/json", document),
    ]
