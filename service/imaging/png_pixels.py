"""Decode 8-bit RGB and RGBA of PNG files, as browsers and screenshots write them, in less time than Pillow alone.

isal decompresses the pixels. If they are gray, one channel is kept, and the alpha channel unless it is opaque: a PNG
filter works on each channel alone (ISO/IEC 15948, 9.2), so channels with equal filtered bytes are equal. Pillow undoes
the filters: it gets the pixels in a stream of stored blocks (RFC 1951, 3.2.4).
"""

import struct
from collections.abc import Iterator

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image, ImageFile

from service.imaging.buffers import Buffer
from service.imaging.png import compressed_pixels

LAYOUTS = ("RGB", "RGBA")

BAND_BYTES = 400_000
"""Bytes that are decompressed at a time: less than what the heap maps separately with a memory limit, which would take
new pages of the system for each band."""

MIN_PIXELS = 16_384
"""Pillow alone takes less time for a smaller image."""

MAX_PIXELS = 1_000_000
"""Pixels of an image that is not gray and opaque: its stream takes as much memory as its pixels."""

# Alpha of opaque pixels after each filter, in the top row and in the others, in the upper eight of 32 bits:
FIRST_OPAQUE = np.array([[255, 255, 255, 255, 255], [255, 255, 0, 128, 0]], np.uint32) << 24  # of a row's first pixel
NEXT_OPAQUE = np.array([[255, 0, 255, 128, 0], [255, 0, 0, 0, 0]], np.uint32) << 24  # of its other pixels

ZLIB_HEADER = b"\x78\x01"
BLOCK_HEADER = struct.Struct("<BHH")  # final or not, size and its complement
MAX_BLOCK = 65_535
LAST_BLOCK = BLOCK_HEADER.pack(True, 0, MAX_BLOCK)
CHECKSUM = struct.Struct(">I")

LITTLE_ENDIAN = np.dtype("<u4")
EQUAL_CHANNELS = 0x010101
"""Times its gray: the red, green and blue of a gray pixel."""

DAMAGED_ERRORS: tuple[type[Exception]] = (isal_zlib.error,)  # type: ignore[assignment]  # its stub has an instance

Rows = NDArray[np.uint8]


class UnsuitableError(Exception):
    """Pillow should decode the file."""


def decode_pixels(image: ImageFile.ImageFile, content: Buffer) -> Image.Image | None:
    """Decode a PNG file, opened as `image` but not loaded. Gray pixels give mode L, or LA if some are transparent.

    Returns None if Pillow should decode the file: it is small, large or damaged, or it has another layout.
    """
    if image.format != "PNG" or image.width * image.height < MIN_PIXELS or not image.tile:
        return None
    layout = image.tile[0].args
    if layout not in LAYOUTS or image.info.keys() & {"interlace", "transparency"}:
        return None
    try:
        return _decode(image.size, layout, compressed_pixels(content))
    except (UnsuitableError, *DAMAGED_ERRORS):
        return None


def _decode(size: tuple[int, int], layout: str, pieces: Iterator[bytes]) -> Image.Image:
    """Decode pixels of this layout. Raises UnsuitableError or DAMAGED_ERRORS."""
    stream, checksum, mode = bytearray(ZLIB_HEADER), 1, ""  # one buffer: pieces would fragment the heap
    for rows in _bands(size, len(layout), pieces):
        mode, kept = _keep_channels(rows, layout, mode)
        if mode != "L" and size[0] * size[1] > MAX_PIXELS:
            raise UnsuitableError
        checksum = isal_zlib.adler32(kept, checksum)
        _store(kept, stream)
    stream += LAST_BLOCK + CHECKSUM.pack(checksum)
    return Image.frombytes(mode, size, stream, "zip", mode, 0)


def _bands(size: tuple[int, int], channels: int, pieces: Iterator[bytes]) -> Iterator[Rows]:
    """Yield the filtered rows, uint8 (h, 1 + channels * w), in bands: each row is its filter and its pixels."""
    (width, height), decompressor = size, isal_zlib.decompressobj()
    row_bytes = 1 + channels * width
    band_height = max(1, BAND_BYTES // row_bytes)
    for top in range(0, height, band_height):
        band = _decompress(decompressor, pieces, min(band_height, height - top) * row_bytes)
        yield np.frombuffer(band, np.uint8).reshape(-1, row_bytes)


def _decompress(decompressor: isal_zlib.Decompress, pieces: Iterator[bytes], size: int) -> bytes:
    """Return the next `size` bytes of the pixels. Raises UnsuitableError if there are fewer."""
    parts: list[bytes] = []
    while size > 0:
        piece = decompressor.unconsumed_tail or next(pieces, b"")
        parts.append(decompressor.decompress(piece, size))
        size -= len(parts[-1])
        if not (parts[-1] or piece):
            raise UnsuitableError
    return b"".join(parts)


def _keep_channels(rows: Rows, layout: str, mode: str) -> tuple[str, bytes]:
    """Reduce filtered rows to the channels of a mode: L, LA, or the layout if they have color.

    mode: that of the rows above, empty for the top rows. Returns the mode and the rows. Raises UnsuitableError if these
    rows need another mode.
    """
    if mode == layout:
        return mode, rows.tobytes()
    channels = _gray_channels(rows) if layout == "RGB" else _gray_and_alpha(rows, mode)
    needed = "LA"[: len(channels)] or layout
    if mode not in ("", needed):
        raise UnsuitableError
    return needed, _join_channels(rows[:, 0], channels) if channels else rows.tobytes()


def _gray_channels(rows: Rows) -> list[Rows]:
    """Return the gray of filtered RGB, uint8 (h, w), in a list, which is empty if they have color."""
    red, green, blue = (rows[:, 1 + channel :: 3] for channel in range(3))
    return [red] if np.array_equal(red, green) and np.array_equal(red, blue) else []


def _gray_and_alpha(rows: Rows, mode: str) -> list[Rows]:
    """Return gray and alpha of filtered RGBA, uint8 (h, w) each, in a list: empty if they have color, gray if opaque.

    mode: that of the rows above, empty for the top rows. In mode LA, the alpha of opaque pixels is returned, too.
    """
    pixels = np.ascontiguousarray(rows[:, 1:]).view(LITTLE_ENDIAN)
    gray = pixels & 0xFF
    rest = pixels - gray * EQUAL_CHANNELS  # alpha in the upper eight bits; the others are 0 if the pixel is gray
    if mode != "LA" and _is_opaque(rows[:, 0], rest, is_top=not mode):
        return [gray.astype(np.uint8)]
    has_color = (rest & 0xFFFFFF).any()
    return [] if has_color else [gray.astype(np.uint8), (rest >> 24).astype(np.uint8)]


def _is_opaque(filters: Rows, rest: NDArray[np.uint32], is_top: bool) -> bool:
    """Return whether all pixels are gray and opaque, if those above are. is_top: the first row is the image's.

    rest: uint32 (h, w), the filtered pixels without their gray.
    """
    if filters.max() >= FIRST_OPAQUE.shape[1]:
        return False  # no such filter
    first, others = FIRST_OPAQUE[1, filters], NEXT_OPAQUE[1, filters]
    if is_top:
        first[0], others[0] = FIRST_OPAQUE[0, filters[0]], NEXT_OPAQUE[0, filters[0]]
    if not np.array_equal(rest[:, 0], first):
        return False
    if not others.any():
        return bool(np.count_nonzero(rest) == np.count_nonzero(first))
    return bool((rest[:, 1:] == others[:, np.newaxis]).all())


def _join_channels(filters: Rows, channels: list[Rows]) -> bytes:
    """Join the filters of rows, uint8 (h,), and their channels, uint8 (h, w) each."""
    rows = np.empty((len(filters), 1 + len(channels) * channels[0].shape[1]), np.uint8)
    rows[:, 0] = filters
    for index, channel in enumerate(channels):
        rows[:, 1 + index :: len(channels)] = channel
    return rows.tobytes()


def _store(content: bytes, stream: bytearray) -> None:
    """Append this content to a stream, in blocks."""
    for start in range(0, len(content), MAX_BLOCK):
        block = content[start : start + MAX_BLOCK]
        stream += BLOCK_HEADER.pack(False, len(block), MAX_BLOCK - len(block))
        stream += block
