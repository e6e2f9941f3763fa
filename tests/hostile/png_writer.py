"""Write PNG files chunk by chunk, legal or not."""

import struct
import zlib

import numpy as np

from tests.images import SEVEN

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Left, top, and steps to the right and down of each pass."""

SIDE = 64
MAX_SIDE = 20_000
UPLOAD = 9_990_000
"""Bytes, just below the default limit."""


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """Write a chunk with a correct checksum, and with any declared length."""
    declared = len(content) if length is None else length
    return struct.pack(">I", declared) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header(width: int, height: int, depth: int = 8, color: int = GRAY, interlace: int = 0) -> bytes:
    """Write the IHDR chunk."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace))


def file(*chunks: bytes) -> bytes:
    """Write a file from its chunks, without IEND."""
    return SIGNATURE + b"".join(chunks)


END = chunk(b"IEND", b"")
PLTE = chunk(b"PLTE", bytes(range(256)) * 3)


def interlaced_rows(width: int, height: int, bits: int, seed: int) -> bytes:
    """Write random rows in the seven passes of Adam7."""
    sizes = ((-(-(width - left) // right), -(-(height - top) // down)) for left, top, right, down in ADAM7)
    return b"".join(rows(across, down, bits, seed=seed) for across, down in sizes)


def rows(width: int, height: int, bits: int, *, filter_type: int = 0, seed: int | None = None) -> bytes:
    """Write rows of zeros, or random ones, each behind its filter type."""
    length = -(-width * bits // 8)
    content = np.zeros((height, 1 + length), np.uint8)
    if seed is not None:
        content[:, 1:] = np.random.default_rng(seed).integers(0, 256, (height, length))
    content[:, 0] = filter_type
    return content.tobytes()


def deflate(megabytes: int) -> bytes:
    """Compress zeros into a thousandth of their size. All but the checksum is right."""
    compressor, block = zlib.compressobj(9), bytes(1_000_000)
    first = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    other = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    return first + other * (megabytes - 1) + compressor.flush()


def drawing(depth: int = 8, color: int = GRAY, before: bytes = b"", after: bytes = b"", interlace: int = 0) -> bytes:
    """Write random pixels of any type, with more chunks before and after the image data."""
    bits = depth * CHANNELS[color]
    pixels = interlaced_rows(SIDE, SIDE, bits, seed=bits) if interlace else rows(SIDE, SIDE, bits, seed=bits)
    data = chunk(b"IDAT", zlib.compress(pixels))
    return file(header(SIDE, SIDE, depth, color, interlace), before, data, after, END)


def large(
    width: int, height: int, depth: int = 8, color: int = GRAY, filter_type: int = 0, interlace: int = 0
) -> bytes:
    """Write an image as large as the limits allow, in a few kilobytes."""
    row = rows(width, 1, depth * CHANNELS[color], filter_type=filter_type)
    compressor = zlib.compressobj(9)
    data = b"".join(compressor.compress(row) for _ in range(height + height // 4 * interlace)) + compressor.flush()
    plte = PLTE if color == PALETTE else b""
    return file(header(width, height, depth, color, interlace), plte, chunk(b"IDAT", data), END)


def large_noise(width: int, height: int) -> bytes:
    """Write a gray image that starts with noise and fills an upload."""
    count = (UPLOAD - 100_000) // (width + 1)
    stored, deflated = zlib.compressobj(0), zlib.compressobj(9, wbits=-15)
    noise = stored.compress(rows(width, count, 8, seed=0)) + stored.flush(zlib.Z_FULL_FLUSH)
    blank = deflated.compress(rows(width, height - count, 8)) + deflated.flush()
    return file(header(width, height), chunk(b"IDAT", noise + blank), END)


def idats(data: bytes, size: int) -> bytes:
    """Split image data into chunks of `size` bytes."""
    return b"".join(chunk(b"IDAT", data[start : start + size]) for start in range(0, len(data), size))


SEVEN_DATA = zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(SEVEN)))
SEVEN_HEADER = header(*SEVEN.size)


def seven(*before: bytes, data: bytes = chunk(b"IDAT", SEVEN_DATA), after: bytes = END) -> bytes:
    """Write the seven, with more chunks before and after its data."""
    return file(SEVEN_HEADER, *before, data, after)


def itxt(count: int, text: bytes) -> bytes:
    """Write text chunks. Pillow's limit counts their characters, not the four bytes of each."""
    return b"".join(chunk(b"iTXt", b"k%d\0\0\0\0\0" % n + text) for n in range(count))
