"""Estimate the memory and the time that decoding a file takes, from its headers, and refuse what takes too much."""

from PIL import ImageFile

from service.errors import ImageError
from service.imaging.gray import TARGET_SIDE
from service.imaging.structure import Structure

MAX_SIDE = 20_000
"""Pixels. Longer images are refused: buffers that grow with one side are not counted by area."""

# An image within these limits is decoded and preprocessed in a few milliseconds at most:
MAX_CHEAP_BYTES = 32_768  # of the file
MAX_CHEAP_PIXELS = TARGET_SIDE**2
MAX_CHEAP_PASS_BYTES = 4_000_000  # of coefficients, in all scans of a progressive JPEG

MAX_COLOR_PIXELS = 1_000_000
"""Pixels of a JPEG image that may be decoded again in color."""

COLOR_BYTES_PER_PIXEL = 4
"""Memory that decoding again in color takes in addition."""

# Estimated decoding time:
SECONDS_PER_BYTE = 8e-9  # of decoded pixels
INTERLACED_SECONDS_PER_BYTE = 16e-9  # of decoded pixels of an interlaced file
SECONDS_PER_SOURCE_PIXEL = 1e-9  # most pixels of a JPEG that is reduced while it is decoded are never stored
SECONDS_PER_COEFFICIENT_BYTE = 1e-9  # of a progressive JPEG
SECONDS_PER_PASS_BYTE = 0.5e-9  # of coefficients, in each scan
SECONDS_PER_FILE_BYTE = 5e-9

BYTES_PER_PIXEL = {"L": 1, "1": 2, "P": 2, "RGB": 4, "CMYK": 4, "RGBA": 5, "LA": 5, "I;16": 6}
"""Peak memory per pixel of each Pillow mode, including the copies that `to_gray` makes."""


def estimate_bytes(image: ImageFile.ImageFile, structure: Structure) -> int:
    """Estimate the memory that decoding takes: JPEG coefficients and pixels."""
    return structure.coefficient_bytes + _pixel_bytes(image)


def estimate_seconds(image: ImageFile.ImageFile, structure: Structure, source_pixels: int) -> float:
    """Estimate the time that decoding takes. For the costliest files it is right within a factor of two."""
    per_byte = INTERLACED_SECONDS_PER_BYTE if image.info.get("interlace") else SECONDS_PER_BYTE
    return (
        _pixel_bytes(image) * per_byte
        + source_pixels * SECONDS_PER_SOURCE_PIXEL
        + structure.coefficient_bytes * SECONDS_PER_COEFFICIENT_BYTE
        + structure.pass_bytes * SECONDS_PER_PASS_BYTE
        + len(structure.content) * SECONDS_PER_FILE_BYTE
    )


def estimate_color_bytes(image: ImageFile.ImageFile, mode: str) -> int:
    """Estimate the bytes that a second decoding, in color, adds: 0 if there is no color, or too many pixels.

    mode: that of the file, which is decoded in the mode of `image`.
    """
    pixels = image.width * image.height
    is_reduced_to_gray = mode == "RGB" and image.mode == "L"
    return pixels * COLOR_BYTES_PER_PIXEL if is_reduced_to_gray and pixels <= MAX_COLOR_PIXELS else 0


def is_cheap(image: ImageFile.ImageFile, structure: Structure) -> bool:
    """Return whether decoding and preprocessing take at most a few milliseconds."""
    is_small = len(structure.content) <= MAX_CHEAP_BYTES and image.width * image.height <= MAX_CHEAP_PIXELS
    return is_small and structure.pass_bytes <= MAX_CHEAP_PASS_BYTES


def check_cost(size: tuple[int, int], needed: int, max_bytes: int) -> None:
    """Raise ImageError if a side is too long, or if decoding takes more than `max_bytes`."""
    width, height = size
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f"it has too many pixels. {width} x {height} is more than {MAX_SIDE} on one side. Send a smaller image:"
            " 28 x 28 is enough."
        )
    if needed > max_bytes:
        raise ImageError(
            f"it has too many pixels. {width} x {height} of them would take {needed / 1e6:.0f} MB of"
            f" memory, and {max_bytes / 1e6:.0f} MB are allowed. Send a smaller image: 28 x 28 is enough."
        )


def _pixel_bytes(image: ImageFile.ImageFile) -> int:
    """Estimate the bytes that the pixels take, including the copies that `to_gray` makes."""
    transparent = image.mode in ("P", "L", "RGB", "1", "I;16") and image.has_transparency_data
    return image.width * image.height * (9 if transparent else BYTES_PER_PIXEL.get(image.mode, 6))
