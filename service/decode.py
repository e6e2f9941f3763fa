"""Bytes become a grey picture. The only room that knows Pillow."""

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from service.errors import ImageError

FORMATS = ("PNG", "JPEG")  # an allow-list: Pillow's other parsers never see what a client sent

ENOUGH = 512
"""Pixels a side that suffice to read a digit; a larger picture is reduced before it is anything but bytes."""

UNREADABLE = (  # what Pillow's parsers raise on malformed files
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    LookupError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    struct.error,
    zlib.error,
)

BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

# Pillow only warns where a picture is larger than its own limit: here that is an answer to the client.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# What it remarks on damaged metadata would let any client fill the log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode(data: bytes, max_pixels: int) -> NDArray[np.uint8]:
    """A PNG or JPEG file as uint8 (H, W), 0 = black: upright, without alpha, 8 bits deep.

    Both sides of a large picture are reduced by the same whole factor, to no less than ENOUGH on the longer.
    Raises ImageError where the bytes are no such file, are damaged or hold more than `max_pixels`.
    """
    if not data:
        raise ImageError("the file is empty. Send a PNG or JPEG file.")
    return _grey(_upright(_reduce(_flatten(_load(data, max_pixels)))))


def _load(data: bytes, max_pixels: int) -> Image.Image:
    """The pixels as the file has them; a large JPEG at 1/2, 1/4 or 1/8, which costs a fraction of the whole."""
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        _check_size(image, max_pixels)
        image.draft("L", (ENOUGH, ENOUGH))
        image.load()
    except UnidentifiedImageError as error:
        raise ImageError("the bytes are neither a PNG nor a JPEG file.") from error
    except BOMBS as error:
        raise _too_many(max_pixels) from error
    except UNREADABLE as error:
        raise ImageError(f"the file is damaged or truncated ({type(error).__name__}). Send it again, whole.") from error
    return image


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise _too_many(max_pixels)


def _too_many(max_pixels: int) -> ImageError:
    return ImageError(f"the picture has more than {max_pixels} pixels. Send a smaller one: 28 x 28 is enough.")


def _flatten(image: Image.Image) -> Image.Image:
    """One opaque band of brightness: mode L, or I;16 for a 16-bit grey picture."""
    if image.has_transparency_data:
        return _on_paper(image.convert("RGBA"))
    if image.mode in ("L", "I;16", "I;16B", "I"):
        return image
    return image.convert("RGB").convert("L")  # by way of RGB: Pillow converts CMYK to L directly, and wrongly


def _on_paper(image: Image.Image) -> Image.Image:
    """Lay a picture with alpha on paper that lets its ink be seen; mode RGBA to L.

    A page with clear margins gets margins of its own colour. A stroke that lives in alpha alone, of any
    colour, gets paper of the opposite brightness.
    """
    grey, alpha = image.convert("L"), image.getchannel("A")
    histogram = np.array(grey.histogram(alpha.point(lambda value: 255 * (value > 127))))
    middle = int(np.searchsorted(histogram.cumsum(), histogram.sum() / 2))
    is_page = histogram.sum() * 2 > image.width * image.height
    paper = Image.new("L", image.size, middle if is_page else 255 * (middle < 128))
    paper.paste(grey, mask=alpha)
    return paper


def _reduce(image: Image.Image) -> Image.Image:
    factor = max(image.size) // ENOUGH
    return image.reduce(factor) if factor > 1 and image.mode == "L" else image


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; damaged EXIF data is no reason to refuse a picture."""
    try:
        return ImageOps.exif_transpose(image)
    except UNREADABLE:
        return image


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:  # 16 bits: keep the upper eight; Pillow's own conversion clips to white
        pixels = np.clip(pixels >> 8, 0, 255)
    return pixels.astype(np.uint8)
