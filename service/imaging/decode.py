"""Decode PNG and JPEG bytes into a gray image. The only module that uses Pillow."""

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

FORMATS = ("PNG", "JPEG")  # an allow-list: uploads never reach Pillow's other parsers

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"

TARGET_SIDE = 320
"""Pixels per side that suffice to read a digit. Larger images are reduced while or right after they are decoded."""

MAX_CHEAP_BYTES = 16_384

MIN_GRAY_CONTRAST = 48
"""Gray levels (of 255). Below this contrast, the color channel with the most contrast replaces the gray image."""

BYTES_PER_PIXEL = {"L": 1, "1": 2, "P": 2, "RGB": 4, "CMYK": 4, "RGBA": 5, "LA": 5, "I;16": 5}
"""Peak memory per pixel of each Pillow mode, including the copies that this module makes."""

PARSER_ERRORS = (  # what Pillow's parsers raise on malformed files
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

BOMB_ERRORS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

# Pillow only warns about an image above its own size limit. Here the client gets an error.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Pillow warns about damaged metadata. Clients must not be able to fill the log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def has_image_signature(image_bytes: bytes) -> bool:
    """Return whether the bytes start as a PNG or a JPEG file does."""
    return image_bytes.startswith((PNG_SIGNATURE, JPEG_SIGNATURE))


def is_cheap_to_decode(image_bytes: bytes) -> bool:
    """Return whether decoding and preprocessing take at most about two milliseconds.

    The file must be small, and so must the image size in a PNG header. A JPEG of so few bytes has few pixels, or is
    decoded at a reduced scale.
    """
    if len(image_bytes) > MAX_CHEAP_BYTES:
        return False
    is_png = image_bytes.startswith(PNG_SIGNATURE) and len(image_bytes) >= 24
    width, height = struct.unpack(">II", image_bytes[16:24]) if is_png else (0, 0)
    return bool(width * height <= TARGET_SIDE**2)


def decode(image_bytes: bytes, max_bytes: int) -> NDArray[np.uint8]:
    """Decode a PNG or JPEG file into an upright gray image, uint8 (H, W), 0 = black.

    A large image is reduced by an integer factor: a square one to between TARGET_SIDE and twice that per side.
    Raises ImageError if the bytes are not such a file, are damaged, or would take more than `max_bytes` of memory
    to decode.
    """
    if not image_bytes:
        raise ImageError("the file is empty. Send a PNG or JPEG file.")
    return np.asarray(_rotate_upright(_to_gray(_load(image_bytes, max_bytes))))


def _load(image_bytes: bytes, max_bytes: int) -> Image.Image:
    """Load the pixels in the file's own mode. A large JPEG is decoded at 1/2, 1/4 or 1/8 scale, which is cheaper."""
    try:
        image = Image.open(BytesIO(image_bytes), formats=FORMATS)
        size, coefficient_bytes = image.size, _coefficient_bytes(image)
        image.draft("L", (TARGET_SIDE, TARGET_SIDE))
        _check_memory(size, coefficient_bytes + _pixel_bytes(image), max_bytes)
        image.load()
    except UnidentifiedImageError as error:
        raise ImageError("the bytes are neither a PNG nor a JPEG file.") from error
    except BOMB_ERRORS as error:
        raise ImageError(f"it has too many pixels ({error}). Send a smaller picture: 28 x 28 is enough.") from error
    except PARSER_ERRORS as error:
        raise ImageError(f"the file is damaged or truncated ({type(error).__name__}). Send it again, whole.") from error
    return image


def _pixel_bytes(image: ImageFile.ImageFile) -> int:
    """Estimate the bytes that the pixels take, including the copies that `_to_gray` makes."""
    palette_alpha = image.mode == "P" and image.has_transparency_data
    return image.width * image.height * (6 if palette_alpha else BYTES_PER_PIXEL.get(image.mode, 6))


def _coefficient_bytes(image: ImageFile.ImageFile) -> int:
    """Estimate the bytes of a progressive JPEG's coefficients: two for each sample, at full size."""
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


def _to_gray(image: Image.Image) -> Image.Image:
    """Convert any mode to one opaque band of brightness, mode L, reduced."""
    if image.has_transparency_data:
        return _composite_alpha(image.convert("RGBA") if image.mode == "P" else image)
    if image.mode == "I;16":  # keep the upper eight bits; Pillow's own conversion clips to white
        image = Image.fromarray(np.asarray(image).view(np.uint8)[:, 1::2])
    if image.mode in ("1", "P"):  # cannot be reduced
        image = image.convert("L")
    return _most_contrast(_reduce(image))


def _most_contrast(image: Image.Image) -> Image.Image:
    """Return the brightness, or the color channel with the most contrast if ink and background are equally bright."""
    if image.mode == "L":  # a conversion would copy it
        return image
    color = image.convert("RGB") if image.mode == "CMYK" else image  # Pillow converts CMYK to a wrong brightness
    gray = color.convert("L")
    return gray if _contrast(gray) >= MIN_GRAY_CONTRAST else max(color.split(), key=_contrast)


def _contrast(band: Image.Image) -> int:
    lowest, highest = band.getextrema()
    return int(highest) - int(lowest)  # type: ignore[arg-type]  # of one band: two numbers


def _composite_alpha(image: Image.Image) -> Image.Image:
    """Composite an image with alpha, mode RGBA or LA, on a background that keeps its ink visible; to mode L, reduced.

    If most pixels are opaque, the image is a page and the background takes the page's median gray. Otherwise the
    image is a stroke on a transparent layer and the background takes the opposite brightness.
    """
    alpha, gray = _reduce(image.getchannel("A")), _reduce(image.convert("L"))
    opaque = np.asarray(gray)[np.asarray(alpha) > 127]
    median = int(np.median(opaque)) if opaque.size else 0
    is_page = opaque.size * 2 > gray.width * gray.height
    background = Image.new("L", gray.size, median if is_page else 255 * (median < 128))
    background.paste(gray, mask=alpha)
    return background


def _reduce(image: Image.Image) -> Image.Image:
    factor = math.isqrt(image.width * image.height) // TARGET_SIDE
    return image.reduce(factor) if factor > 1 else image


def _rotate_upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. Damaged EXIF data is ignored."""
    if not image.info:  # a file without metadata
        return image
    with suppress(*PARSER_ERRORS):
        ImageOps.exif_transpose(image, in_place=True)
    return image
