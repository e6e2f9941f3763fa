"""Read the structure of PNG files (ISO/IEC 15948) before Pillow sees them."""

import struct
from collections.abc import Iterator

from service.errors import ImageError
from service.imaging import exif
from service.imaging.buffers import Buffer, keep_ranges
from service.imaging.structure import Structure

SIGNATURE = b"\x89PNG\r\n\x1a\n"

NEEDED_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""What decoding needs. Text, color profiles and animations cost memory and time, and change no digit."""

MAX_CHUNKS = 10_000
"""Pillow reads chunks in Python, at some microseconds each. Encoders write one chunk per 8 KB or more."""

MAX_PIECE = 65_536
"""Bytes of compressed pixels that are copied at a time."""

_CHUNK_HEAD = struct.Struct(">I4s")
_CHECKSUM_BYTES = 4
_CHUNK_OVERHEAD = _CHUNK_HEAD.size + _CHECKSUM_BYTES


def read_structure(image_bytes: Buffer) -> Structure:
    """Read the chunks up to the end of the image, and keep those that decoding needs. A bytearray is changed in place.

    Raises ImageError if the file has more than MAX_CHUNKS chunks. A damaged file is kept as far as it goes: decoding it
    gives the error.
    """
    ranges: list[tuple[int, int]] = []
    size, start, metadata = len(image_bytes), 0, b""
    for count, (kind, begin, declared_end) in enumerate(_chunks(image_bytes), 1):
        end = min(declared_end, size)
        if kind == b"eXIf":
            content = begin + _CHUNK_HEAD.size
            metadata = bytes(image_bytes[content : min(content + exif.MAX_BYTES, end)])
        if kind not in NEEDED_CHUNKS:
            ranges.append((start, begin))
            start = end
        if kind == b"IEND":
            break
        if count == MAX_CHUNKS:
            raise ImageError(f"it has more than {MAX_CHUNKS} PNG chunks. Save it again with an ordinary program.")
    else:
        end = size
    return Structure(keep_ranges(image_bytes, [*ranges, (start, end)]), exif.read_orientation(metadata))


def compressed_pixels(content: Buffer) -> Iterator[bytes]:
    """Yield the data of the IDAT chunks, in pieces. What is missing in a damaged file is left out."""
    for kind, begin, end in _chunks(content):
        if kind == b"IDAT":
            start, stop = begin + _CHUNK_HEAD.size, min(end - _CHECKSUM_BYTES, len(content))
            yield from (bytes(content[at : min(at + MAX_PIECE, stop)]) for at in range(start, stop, MAX_PIECE))


def _chunks(content: Buffer) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk. The end of the last one may lie beyond the end of a damaged file."""
    position = len(SIGNATURE)
    while position + _CHUNK_OVERHEAD <= len(content):
        length, kind = _CHUNK_HEAD.unpack_from(content, position)
        end = position + length + _CHUNK_OVERHEAD
        yield kind, position, end
        position = end
