"""Read the orientation from EXIF data, a TIFF directory whose other entries do not matter, and turn images upright."""

import struct
from contextlib import suppress

from PIL import Image

MAX_BYTES = 65_536
"""The orientation is one of the first entries. What lies behind this many bytes is not read."""

MAX_ENTRIES = 1_000

UPRIGHT = 1
ORIENTATION_TAG = 0x0112
SHORT = 3  # TIFF's code for an unsigned integer of 16 bits

ORIENTATIONS = {  # EXIF orientation -> how to turn the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

MIN_TURNED = 5
"""The EXIF orientations from here on exchange width and height."""

BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def read_orientation(tiff: bytes) -> int:
    """Return the orientation, 1 to 8. Damaged data, or data without it, counts as upright."""
    order = BYTE_ORDERS.get(tiff[:4])
    with suppress(struct.error):
        return _find_orientation(tiff, order) if order else UPRIGHT
    return UPRIGHT


def _find_orientation(tiff: bytes, order: str) -> int:
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, directory)
    entry = struct.Struct(f"{order}HHIH")
    for index in range(min(count, MAX_ENTRIES)):
        tag, kind, length, value = entry.unpack_from(tiff, directory + 2 + 12 * index)
        if (tag, kind, length) == (ORIENTATION_TAG, SHORT, 1):
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def rotate_upright(gray: Image.Image, orientation: int) -> Image.Image:
    """Turn an image upright. orientation: as in EXIF; others than 2 to 8 change nothing."""
    method = ORIENTATIONS.get(orientation)
    return gray.transpose(method) if method is not None else gray
