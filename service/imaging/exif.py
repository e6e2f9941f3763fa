"""Read the orientation from EXIF data, which is a TIFF directory. Nothing else in it matters."""

import struct
from contextlib import suppress

MAX_BYTES = 65_536
"""The orientation is one of the first entries. What lies behind this many bytes is not read."""

MAX_ENTRIES = 1_000

UPRIGHT = 1
ORIENTATION_TAG = 0x0112
SHORT = 3  # TIFF's code for an unsigned integer of 16 bits

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
