"""Write EXIF data, legal or not."""

import struct

ORIENTATION, SHORT, TEXT = 0x0112, 3, 2


def tiff(*entries: tuple[int, int, int, int], size: int = 0) -> bytes:
    """Write EXIF data: entries of tag, type, count and value, padded to `size` bytes."""
    directory = struct.pack("<H", len(entries) & 0xFFFF) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (b"II*\0" + struct.pack("<I", 8) + directory + bytes(4)).ljust(size, b"\0")


def overlapping_exif(size: int) -> bytes:
    """Write thousands of entries that all point to the same bytes."""
    return tiff(*((tag, 2, size - 100, 8) for tag in range(min(60_000, size // 13))), size=size)
