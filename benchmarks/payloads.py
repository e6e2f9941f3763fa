"""The requests of the benchmark: images of a digit, each sent in three ways, and a mix of real images."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from examples.draw import Example, draw

DIGIT = 7
BOUNDARY = "----boundary"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True)
class Request:
    """One POST request, which the load generator repeats. more_bodies: sent after the first body, in turn."""

    name: str
    path: str
    content_type: str
    body: bytes
    more_bodies: tuple[bytes, ...] = ()


def all_requests() -> list[Request]:
    """Build the requests of each image: multipart, raw and base64."""
    return [
        request
        for name, (media_type, image_bytes) in all_images().items()
        for request in _encodings(name, media_type, image_bytes)
    ]


def all_images() -> dict[str, tuple[str, bytes]]:
    """Return the media type and the bytes of each image, by name."""
    seven = draw(Example(DIGIT, (3000, 3000), "png"))
    small = seven.resize((28, 28), Image.Resampling.BOX)
    drawing = seven.resize((280, 280), Image.Resampling.BOX).convert("RGB")
    photo = _photo(seven)
    return {
        "28x28 PNG": ("image/png", _file(small, "PNG")),
        "280x280 RGBA PNG": ("image/png", _file(drawing.convert("RGBA"), "PNG")),
        "280x280 PNG": ("image/png", _file(drawing, "PNG")),
        "screenshot PNG": ("image/png", _file(_screenshot(seven), "PNG")),
        "12 MP JPEG": ("image/jpeg", _file(photo, "JPEG", quality=88)),
        "progressive 12 MP JPEG": ("image/jpeg", _file(photo, "JPEG", quality=88, progressive=True)),
    }


def mix_request(files: Sequence[bytes]) -> Request:
    """Build the request that sends these files in turn, as multipart forms."""
    first, *others = (_form("application/octet-stream", file) for file in files)
    return Request("real images, multipart", "/predict", FORM_TYPE, first, tuple(others))


def _screenshot(digit: Image.Image) -> Image.Image:
    """Put the digit into a window of 640 x 480 pixels on a white page with a line of text, RGBA."""
    page = Image.new("L", (640, 480), 255)
    page.paste(digit.resize((360, 360), Image.Resampling.BOX), (140, 60))
    ImageDraw.Draw(page).text((24, 24), "Drawing 1", fill=90)
    return page.convert("RGBA")


def _photo(digit: Image.Image) -> Image.Image:
    """Put the digit on a page of 4000 x 3000 pixels with uneven light and sensor noise."""
    page = Image.new("L", (4000, 3000), 255)
    page.paste(digit, (500, 0))
    ink = 1 - np.asarray(page.filter(ImageFilter.GaussianBlur(3)), np.float32) / 255
    light = np.linspace(170, 215, 4000, dtype=np.float32) * (1 - 0.7 * ink)
    noise = np.random.default_rng(0).normal(0, 5, light.shape).astype(np.float32)
    return Image.fromarray(np.clip(light + noise, 0, 255).astype(np.uint8)).convert("RGB")


def _file(image: Image.Image, image_format: str, quality: int = 75, progressive: bool = False) -> bytes:
    file = BytesIO()
    image.save(file, image_format, quality=quality, progressive=progressive)
    return file.getvalue()


def _form(media_type: str, image_bytes: bytes) -> bytes:
    disposition = 'Content-Disposition: form-data; name="file"; filename="digit"'
    head = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: {media_type}\r\n\r\n"
    return head.encode() + image_bytes + f"\r\n--{BOUNDARY}--\r\n".encode()


def _encodings(name: str, media_type: str, image_bytes: bytes) -> list[Request]:
    document = json.dumps({"image": base64.b64encode(image_bytes).decode()}).encode()
    return [
        Request(f"{name}, multipart", "/predict", FORM_TYPE, _form(media_type, image_bytes)),
        Request(f"{name}, raw", "/predict", media_type, image_bytes),
        Request(f"{name}, base64", "/predict-base64", "application/json", document),
    ]
