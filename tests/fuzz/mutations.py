"""Corrupt files: bytes, lengths and whole chunks. The same random numbers give the same corruption."""

import random
import struct
import zlib
from collections.abc import Iterator

from service.imaging import jpeg, png

INTERESTING = (0, 1, 2, 7, 8, 16, 0x7F, 0x80, 0xC0, 0xC2, 0xC4, 0xD9, 0xDA, 0xDB, 0xFE, 0xFF)
"""Byte values at which parsers branch."""

MAX_BYTES = 65_536
"""Size limit for a corrupted file."""


def corruptions_at(whole: bytes, index: int) -> Iterator[bytes]:
    """Yield a file cut at one byte, and with that byte changed in five ways."""
    yield whole[:index]
    for value in (0, 0xFF, whole[index] ^ 1, whole[index] ^ 0x80, (whole[index] + 1) & 0xFF):
        yield whole[:index] + bytes((value,)) + whole[index + 1 :]


def corrupt(whole: bytes, other: bytes, rng: random.Random) -> bytes:
    """Corrupt a file at one to four places, between its parts or anywhere. `other` is a file to splice with."""
    for _ in range(rng.randint(1, 4)):
        whole = rng.choice((_edit_bytes, _edit_parts))(whole, other, rng)[:MAX_BYTES]
    return whole


def _edit_bytes(whole: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change, remove, insert or repeat some bytes."""
    start = rng.randint(0, len(whole))
    end = min(len(whole), start + rng.choice((0, 1, 2, 4, 30, 1_000)))
    from_other = rng.randint(0, len(other))
    replacement = rng.choice(
        (
            bytes((rng.choice(INTERESTING),)),
            rng.randbytes(rng.randint(0, 8)),
            whole[start:end] * 2,
            b"",
            other[from_other : from_other + rng.choice((1, 20, 500))],
        )
    )
    return whole[:start] + replacement + whole[end:]


def _edit_parts(whole: bytes, other: bytes, rng: random.Random) -> bytes:
    """Remove, repeat, swap or change the chunks of a PNG file or the segments of a JPEG file."""
    parts = split(whole)
    if len(parts) < 2:
        return _edit_bytes(whole, other, rng)
    index, target = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(5):
        case 0:
            del parts[index]
        case 1:
            parts[target:target] = [parts[index]] * rng.choice((1, 2, 30))
        case 2:
            parts[index], parts[target] = parts[target], parts[index]
        case 3:
            parts[index] = seal(_edit_bytes(parts[index], b"", rng))
        case _:
            parts.insert(index, rng.choice(split(other) or [b""]))
    return b"".join(parts)


def split(whole: bytes) -> list[bytes]:
    """Split a file into signature and chunks, or into segments and scans. Other bytes are one part."""
    if whole.startswith(png.SIGNATURE):
        return [png.SIGNATURE, *_chunks(whole)]
    if whole.startswith(jpeg.SIGNATURE):
        marks = [match.start() for match in jpeg.MARKER.finditer(whole)]
        return [whole[start:end] for start, end in zip(marks, [*marks[1:], len(whole)], strict=True)]
    return whole.splitlines(keepends=True)


def _chunks(whole: bytes) -> Iterator[bytes]:
    position = len(png.SIGNATURE)
    while position < len(whole):
        length = int.from_bytes(whole[position : position + 4], "big")
        end = min(len(whole), position + 12 + length)
        yield whole[position:end]
        position = end


def seal(chunk: bytes) -> bytes:
    """Give a PNG chunk the right length and checksum again, so that decoders read on; other parts stay as they are."""
    if len(chunk) < 12 or not chunk[4:8].isalpha():
        return chunk
    content = chunk[8:-4]
    return struct.pack(">I", len(content)) + chunk[4:-4] + struct.pack(">I", zlib.crc32(chunk[4:-4]))
