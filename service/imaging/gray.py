"""Convert an image of any Pillow mode to gray, reduced to about TARGET_SIDE."""

import math

import numpy as np
from PIL import Image

TARGET_SIDE = 320
"""Pixels per side that suffice to read a digit. Larger images are reduced while or right after they are decoded."""

MAX_COPIED_PIXELS = 2_000_000
"""Pixels of an image of which a band may be copied before it is reduced."""

MIN_GRAY_CONTRAST = 48
"""Gray levels (of 255). Below this contrast, the ink may have another color than the page and the same brightness."""

MIN_COLOR_GAIN = 1.5
"""Contrast of a color channel, relative to the gray image, from which it replaces it. Less may be noise."""


def to_gray(image: Image.Image) -> Image.Image:
    """Convert any mode to one opaque band of brightness, mode L, reduced."""
    if image.has_transparency_data and image.mode != "I;16":
        image = image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
        alpha = _reduce(image.getchannel("A"))
        if np.asarray(alpha).min() < 255:
            return _composite_alpha(image, alpha)
    if image.mode == "I;16":  # keep the upper eight bits; Pillow's own conversion clips to white
        image = Image.fromarray(np.asarray(image).view(np.uint8)[:, 1::2])
    if image.mode in ("1", "P"):  # cannot be reduced
        image = image.convert("L")
    if image.mode == "CMYK":  # Pillow converts it to a wrong brightness
        image = _reduce(image).convert("RGB")
    return _most_contrast(image)


def _most_contrast(image: Image.Image) -> Image.Image:
    """Return the brightness, reduced, or the color channel with the most contrast if ink and page are equally bright.

    One band is reduced: that takes a sixth of the time of reducing four. A large RGB image is reduced first, because a
    band of it would take memory that its estimate leaves out.
    """
    if image.mode == "RGB" and image.width * image.height > MAX_COPIED_PIXELS:
        image = _reduce(image)
    gray = _reduce(image if image.mode == "L" else image.convert("L"))  # a conversion would copy it
    if image.mode in ("L", "LA") or has_contrast(gray):
        return gray
    color = max((_reduce(image.getchannel(band)) for band in "RGB"), key=_contrast)
    return color if _contrast(color) > MIN_COLOR_GAIN * _contrast(gray) else gray


def has_contrast(gray: Image.Image) -> bool:
    """Return whether the brightness of an image, mode L, shows its ink, so that its colors do not matter."""
    return _contrast(gray) >= MIN_GRAY_CONTRAST


def _contrast(band: Image.Image) -> int:
    pixels = np.asarray(band)  # `getextrema` takes four times as long
    return int(pixels.max()) - int(pixels.min())


def _composite_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """Composite an image on a background that keeps its ink visible: mode RGBA or LA to mode L, reduced as its alpha.

    If most pixels are opaque, the image is a page and the background takes the page's median gray. Otherwise the
    image is a stroke on a transparent layer and the background takes the opposite brightness.
    """
    gray = _reduce(image.convert("L"))
    opaque = np.asarray(gray)[np.asarray(alpha) > 127]
    median = int(np.median(opaque)) if opaque.size else 0
    is_page = opaque.size * 2 > gray.width * gray.height
    background = Image.new("L", gray.size, median if is_page else 255 * (median < 128))
    background.paste(gray, mask=alpha)
    return background


def _reduce(image: Image.Image) -> Image.Image:
    factor = math.isqrt(image.width * image.height) // TARGET_SIDE
    return image.reduce(factor) if factor > 1 else image
