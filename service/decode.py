"""Bytes become a grey picture. The only room that knows Pillow."""

import math
import struct
import warnings
import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from service.errors import ImageError

FORMATS = ("PNG", "JPEG")  # an allow-list: Pillow's other parsers never see what a client sent

ENOUGH = 320
"""Pixels a side that suffice to read a digit; a larger picture is reduced before it is anything but bytes."""

PNG = b"\x89PNG\r\n\x1a\n"
QUICK_BYTES = 16_384

FAINT = 48
"""Levels of brightness, of 255, between which a picture may hide what its colours show."""

BYTES_PER_PIXEL = {"L": 1, "1": 2, "P": 2, "RGB": 4, "CMYK": 4, "RGBA": 5, "LA": 5, "I;16": 5}
"""What a decoded picture of each mode takes at the most, with the copies that are made of it here."""

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


def is_quick(data: bytes) -> bool:
    """Whether reading this file takes a millisecond or two: few bytes, and few pixels as a PNG's header has them.

    A JPEG of so few bytes has few pixels, or is decoded at a fraction of its size.
    """
    if len(data) > QUICK_BYTES:
        return False
    width, height = struct.unpack(">II", data[16:24]) if data.startswith(PNG) and len(data) >= 24 else (0, 0)
    return bool(width * height <= ENOUGH**2)


def decode(data: bytes, max_bytes: int) -> NDArray[np.uint8]:
    """A PNG or JPEG file as uint8 (H, W), 0 = black: upright, without alpha, 8 bits deep.

    A large picture is reduced by a whole factor, to between ENOUGH and twice that a side if it is square.
    Raises ImageError where the bytes are no such file, are damaged, or would take more than `max_bytes` of
    memory when decoded.
    """
    if not data:
        raise ImageError("the file is empty. Send a PNG or JPEG file.")
    return np.asarray(_upright(_flatten(_load(data, max_bytes))))


def _load(data: bytes, max_bytes: int) -> Image.Image:
    """The pixels as the file has them; a large JPEG at 1/2, 1/4 or 1/8, which costs a fraction of the whole."""
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        size, coefficients = image.size, _coefficients(image)
        image.draft("L", (ENOUGH, ENOUGH))
        _check_memory(size, coefficients + _pixels(image), max_bytes)
        image.load()
    except UnidentifiedImageError as error:
        raise ImageError("the bytes are neither a PNG nor a JPEG file.") from error
    except BOMBS as error:
        raise ImageError(f"it has too many pixels ({error}). Send a smaller picture: 28 x 28 is enough.") from error
    except UNREADABLE as error:
        raise ImageError(f"the file is damaged or truncated ({type(error).__name__}). Send it again, whole.") from error
    return image


def _pixels(image: ImageFile.ImageFile) -> int:
    """Bytes that the pixels take, with the copies that `_flatten` makes."""
    palette_alpha = image.mode == "P" and image.has_transparency_data
    return image.width * image.height * (6 if palette_alpha else BYTES_PER_PIXEL.get(image.mode, 6))


def _coefficients(image: ImageFile.ImageFile) -> int:
    """Bytes that a progressive JPEG takes before it has pixels: two for each sample, at full size."""
    if "progressive" not in image.info:
        return 0
    samplings: list[tuple[int, int]] = [(across, down) for _, across, down, _ in getattr(image, "layer", [])]
    most = max(across for across, _ in samplings) * max(down for _, down in samplings)
    return 2 * image.width * image.height * sum(across * down for across, down in samplings) // most


def _check_memory(size: tuple[int, int], needed: int, max_bytes: int) -> None:
    if needed > max_bytes:
        raise ImageError(
            f"it has too many pixels. {size[0]} x {size[1]} of them would take {needed / 1e6:.0f} MB of"
            f" memory, and {max_bytes / 1e6:.0f} MB are allowed. Send a smaller picture: 28 x 28 is enough."
        )


def _flatten(image: Image.Image) -> Image.Image:
    """One opaque band of brightness, mode L, reduced."""
    if image.has_transparency_data:
        return _on_paper(image.convert("RGBA") if image.mode == "P" else image)
    if image.mode == "I;16":  # keep the upper eight bits; Pillow's own conversion clips to white
        image = Image.fromarray(np.asarray(image).view(np.uint8)[:, 1::2])
    if image.mode in ("1", "P"):  # cannot be reduced
        image = image.convert("L")
    return _grey(_reduce(image))


def _grey(image: Image.Image) -> Image.Image:
    """Brightness, or the colour that shows most where ink and paper are equally bright."""
    if image.mode == "L":  # which a conversion would copy
        return image
    colours = image.convert("RGB") if image.mode == "CMYK" else image  # Pillow reads CMYK wrongly as brightness
    grey = colours.convert("L")
    return grey if _contrast(grey) >= FAINT else max(colours.split(), key=_contrast)


def _contrast(band: Image.Image) -> int:
    lowest, highest = band.getextrema()
    return int(highest) - int(lowest)  # type: ignore[arg-type]  # of one band: two numbers


def _on_paper(image: Image.Image) -> Image.Image:
    """Lay a picture with alpha on paper that lets its ink be seen; mode RGBA or LA to L, reduced.

    A page with clear margins gets margins of its own colour. A stroke that lives in alpha alone, of any
    colour, gets paper of the opposite brightness.
    """
    alpha, grey = _reduce(image.getchannel("A")), _reduce(image.convert("L"))
    visible = np.asarray(grey)[np.asarray(alpha) > 127]
    middle = int(np.median(visible)) if visible.size else 0
    is_page = visible.size * 2 > grey.width * grey.height
    paper = Image.new("L", grey.size, middle if is_page else 255 * (middle < 128))
    paper.paste(grey, mask=alpha)
    return paper


def _reduce(image: Image.Image) -> Image.Image:
    factor = math.isqrt(image.width * image.height) // ENOUGH
    return image.reduce(factor) if factor > 1 else image


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; damaged EXIF data is no reason to refuse a picture."""
    if not image.info:  # a file without metadata
        return image
    with suppress(*UNREADABLE):
        ImageOps.exif_transpose(image, in_place=True)
    return image
