"""Write JPEG files segment by segment, legal or not."""

import struct
from collections.abc import Iterable

from tests.hostile.png_writer import UPLOAD
from tests.images import SEVEN, encode

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS = 0xC0, 0xC1, 0xC2, 0xC3
ARITHMETIC, ARITHMETIC_PROGRESSIVE = 0xC9, 0xCA

Sampling = tuple[tuple[int, int], ...]
GRAY: Sampling = ((1, 1),)
YCC: Sampling = ((1, 1),) * 3
YCC_420: Sampling = ((2, 2), (1, 1), (1, 1))
CMYK: Sampling = ((1, 1),) * 4

NOTHING, ONES, LONG_RUN = 0x00, 0x01, 0xE0
"""AC symbols: end of block; a coefficient of one; end of block for 16,384 blocks. Their code is one zero bit."""


def segment(marker: int, content: bytes) -> bytes:
    """Write a segment with its length."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def frame(
    width: int, height: int, sampling: Sampling = YCC, kind: int = BASELINE, precision: int = 8, declared: int = 0
) -> bytes:
    """Write a start-of-frame segment."""
    components = b"".join(bytes((n + 1, across << 4 | down, 0)) for n, (across, down) in enumerate(sampling))
    return segment(kind, struct.pack(">BHHB", precision, height, width, declared or len(sampling)) + components)


def tables(symbol: int = NOTHING, size: int = 0) -> bytes:
    """Write a quantization table and Huffman tables of one code each: DC differences of `size` bits, one AC symbol."""
    one_code = bytes((1, *(0,) * 15))
    dc, ac = b"\0" + one_code + bytes((size,)), b"\x10" + one_code + bytes((symbol,))
    return segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC4, dc) + segment(0xC4, ac)


def scan(components: Iterable[int], data: bytes = b"", band: tuple[int, int] = (0, 63), bits: int = 0) -> bytes:
    """Write a start-of-scan segment and its data."""
    listed = [bytes((component + 1, 0)) for component in components]
    return segment(0xDA, bytes((len(listed),)) + b"".join(listed) + bytes((*band, bits))) + data


def jpeg(width: int, height: int, *parts: bytes, sampling: Sampling = YCC, kind: int = BASELINE) -> bytes:
    """Write a file with tables for blank blocks."""
    return SOI + tables() + frame(width, height, sampling, kind) + b"".join(parts) + EOI


def sequential_scans(width: int, height: int, kind: int = EXTENDED, sampling: Sampling = YCC, data: int = 0) -> bytes:
    """Write a sequential file with one scan per component."""
    scans = (scan([n], bytes(data)) for n in range(len(sampling)))
    return jpeg(width, height, *scans, sampling=sampling, kind=kind)


def progressive(width: int, height: int, count: int, data: int = 0, kind: int = PROGRESSIVE) -> bytes:
    """Write a gray progressive file of `count` scans without any coefficient."""
    first = scan([0], bytes(data), (0, 0))
    rest = (scan([0], bytes(data), (1, 63)) for _ in range(count - 1))
    return SOI + tables(LONG_RUN) + frame(width, height, GRAY, kind) + first + b"".join(rest) + EOI


def refined(width: int, height: int, count: int, size: int) -> bytes:
    """Write a gray progressive file whose coefficients are all one bit, refined in `count` scans, of `size` bytes."""
    blocks = -(-width // 8) * -(-height // 8)
    first = scan([0], bytes(blocks // 8 + 1), (0, 0)) + scan([0], bytes(blocks * 63 // 4 + 1), (1, 63), 13)
    data = bytes(max(0, size - len(first)) // count)
    rest = (scan([0], data, (1, 63), (13 - n % 13) << 4 | 12 - n % 13) for n in range(count))
    return SOI + tables(ONES) + frame(width, height, GRAY, PROGRESSIVE) + first + b"".join(rest) + EOI


def refinements(width: int, height: int, count: int) -> bytes:
    """Write a gray progressive file whose scans refine coefficients that are all zero: each pass reads them all."""
    blocks = -(-width // 8) * -(-height // 8)
    first = scan([0], bytes(blocks // 8 + 1), (0, 0)) + scan([0], b"", (1, 63), 13)
    rest = scan([0], bytes(blocks // 8_000 + 4), (1, 63), 0xDC) * count
    return SOI + tables(LONG_RUN) + frame(width, height, GRAY, PROGRESSIVE) + first + rest + EOI


def filled(width: int, height: int, kind: int = BASELINE, sampling: Sampling = GRAY, data: bytes = bytes(100)) -> bytes:
    """Write a file whose blocks have 63 coefficients each."""
    parts = frame(width, height, sampling, kind) + scan(range(len(sampling)), data) + EOI
    return SOI + tables(ONES) + parts


def hidden_frame(length: bytes) -> bytes:
    """Hide a large frame where only a decoder that reads a wrong length as 64 KB finds it."""
    hidden = tables() + frame(9_400, 9_400, YCC, PROGRESSIVE) + scan(range(3), bytes(100), (0, 0)) + EOI
    return jpeg(64, 64, b"\xff\xe0" + length, scan(range(3), bytes(0xFFDB)), hidden)


PHOTO = encode(SEVEN.convert("RGB"), "JPEG")


def photo(*segments: bytes, whole: bytes = PHOTO) -> bytes:
    """Insert segments after the first marker of an ordinary file."""
    return SOI + b"".join(segments) + whole[2:]


def repeated(segment_: bytes, size: int = UPLOAD) -> bytes:
    """Insert a segment as often as an upload can hold it."""
    return photo(segment_ * (size // len(segment_)))


def adobe(transform: int, sampling: Sampling = CMYK) -> bytes:
    """Write a file of three or four components under an Adobe marker."""
    marker = segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes((transform,)))
    return jpeg(64, 64, marker, scan(range(len(sampling)), bytes(100)), sampling=sampling)


def exif(content: bytes) -> bytes:
    """Write EXIF data as segments of at most 64 KB."""
    pieces = (content[start : start + 65_000] for start in range(0, len(content), 65_000))
    return b"".join(segment(0xE1, b"Exif\0\0" + piece) for piece in pieces)


def split_at_scan(whole: bytes) -> tuple[bytes, bytes]:
    """Split a file before its first scan."""
    start = whole.index(b"\xff\xda")
    return whole[:start], whole[start:]
