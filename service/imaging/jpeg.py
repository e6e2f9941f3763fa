"""Read the structure of JPEG files (ITU-T T.81) before Pillow sees them."""

import re

from service.errors import ImageError
from service.imaging import exif
from service.imaging.buffers import Buffer, keep_ranges
from service.imaging.markers import count_markers
from service.imaging.structure import Structure

SIGNATURE = b"\xff\xd8\xff"

MAX_SEGMENTS = 1_000
"""Pillow reads segments in Python, at some microseconds each. Cameras write about twenty."""

MAX_TABLE_BYTES = 131_072
"""Size limit for the segments that decoding needs. Pillow parses quantization tables in Python."""

MAX_FILL_BYTES = 65_536
"""Size limit for what separates two segments, and for pairs of fill bytes in the scans. Pillow's decoder reads fill
bytes again with each block of the file, so the time would grow with their square."""

MAX_SCANS = 64
"""A multi-scan file is decoded in as many passes. Encoders write at most about twenty."""

MAX_PASS_BYTES = 1_000_000_000
"""Size limit for the coefficients that all passes of a multi-scan file read: about half a second."""

ARITHMETIC_WEIGHT = 16
"""How many times longer arithmetic decoding takes. Its time does not depend on the size of the file."""

SOS, DHT, DAC, DQT, DRI, APP0, APP1, APP14, FILL = 0xDA, 0xC4, 0xCC, 0xDB, 0xDD, 0xE0, 0xE1, 0xEE, 0xFF
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, DAC, 0xC8}
PROGRESSIVE_FRAME = 0xC2
PROGRESSIVE_FRAMES = (PROGRESSIVE_FRAME, 0xC6, 0xCA, 0xCE)
FIRST_ARITHMETIC_FRAME = 0xC9
STANDALONE = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a segment
NEEDED_SEGMENTS = FRAMES | {DHT, DAC, DQT, DRI, APP0, APP14}
EXIF = b"Exif\0\0"

MARKER = re.compile(rb"\xff([^\xff\x00])", re.DOTALL)
"""A marker. Padding and junk before it are skipped, as decoders do."""


def read_structure(image_bytes: Buffer) -> Structure:
    """Read the segments, and remove those that decoding does not need: in place from a bytearray.

    Raises ImageError if there is no scan, or if there are too many segments, tables or scans.
    """
    kept, frame, metadata, position = [(0, 2)], b"", b"", 2
    for _ in range(MAX_SEGMENTS):
        marker, start = _next_marker(image_bytes, position)
        if marker == SOS:
            _check_tables(kept)
            return _with_scans(image_bytes, kept, frame, start - 2, exif.read_orientation(metadata))
        position = start if marker in STANDALONE else _segment_end(image_bytes, start)
        if marker in NEEDED_SEGMENTS:
            kept.append((start - 2, position))
        if marker in FRAMES and not frame:
            frame = bytes(image_bytes[start - 2 : position])
        if marker == APP1 and image_bytes.startswith(EXIF, start + 2) and not metadata:
            metadata = bytes(image_bytes[start + 2 + len(EXIF) : position])
    raise ImageError(f"it has more than {MAX_SEGMENTS} JPEG segments. Save it again with an ordinary program.")


def _next_marker(image_bytes: Buffer, position: int) -> tuple[int, int]:
    """Return the next marker and the position behind it."""
    match = MARKER.search(image_bytes, position, position + MAX_FILL_BYTES)
    if match is None:
        raise _damaged("no scan")
    return match[1][0], match.end()


def _segment_end(image_bytes: Buffer, start: int) -> int:
    """Return the end of a segment whose length is at `start`.

    An impossible length is an error: decoders would read on at another position than this module.
    """
    length = int.from_bytes(image_bytes[start : start + 2], "big")
    if length < 2 or start + length > len(image_bytes):
        raise _damaged("wrong segment length")
    return start + length


def _check_tables(kept: list[tuple[int, int]]) -> None:
    if sum(end - start for start, end in kept) > MAX_TABLE_BYTES:
        raise ImageError(
            f"its JPEG tables have more than {MAX_TABLE_BYTES} bytes. Save it again with an ordinary program."
        )


def _with_scans(
    image_bytes: Buffer, kept: list[tuple[int, int]], frame: bytes, start: int, orientation: int
) -> Structure:
    """Keep the scans, which begin at `start`, up to the end of the image, and bound what decoding them takes.

    Entropy-coded data never contains a marker, so counting start-of-scan markers counts scans. What follows the end
    marker is dropped: cameras append previews and videos there.
    """
    counts, end = count_markers(image_bytes, start)
    scans = counts[SOS]
    if scans > MAX_SCANS:
        raise ImageError(f"it has {scans} JPEG scans, and {MAX_SCANS} are allowed. Save it as a baseline JPEG.")
    if counts[FILL] > MAX_FILL_BYTES:
        raise ImageError("its JPEG scans have too many fill bytes. Save it again with an ordinary program.")
    scan_components = bytes(image_bytes[start + 4 : start + 5])
    structure = Structure(keep_ranges(image_bytes, [*kept, (start, end)]), orientation)
    if len(frame) < 10 or len(frame) < 10 + 3 * frame[9]:
        return structure  # damaged: decoding gives the error
    structure.progressive_frame = frame if frame[1] == PROGRESSIVE_FRAME else b""
    is_arithmetic = frame[1] >= FIRST_ARITHMETIC_FRAME
    if is_arithmetic or frame[1] in PROGRESSIVE_FRAMES or scans > 1 or scan_components < frame[9:10]:
        structure.coefficient_bytes = _coefficient_bytes(frame)
        structure.pass_bytes = structure.coefficient_bytes * scans * (ARITHMETIC_WEIGHT if is_arithmetic else 1)
    if structure.pass_bytes > MAX_PASS_BYTES:
        raise ImageError("its JPEG scans would take too long to decode. Save it as a baseline JPEG.")
    return structure


def _coefficient_bytes(frame: bytes) -> int:
    """Return two bytes per coefficient of every component, whose blocks fill whole minimum coded units."""
    height, width = int.from_bytes(frame[5:7], "big"), int.from_bytes(frame[7:9], "big")
    samplings = [(frame[index] >> 4, frame[index] & 15) for index in range(11, 10 + 3 * frame[9], 3)]
    unit_width, unit_height = (8 * max([1, *(sampling[axis] for sampling in samplings)]) for axis in (0, 1))
    units = -(-width // unit_width) * -(-height // unit_height)
    return units * sum(across * down for across, down in samplings) * 64 * 2


def _damaged(reason: str) -> ImageError:
    return ImageError(f"the file is damaged or truncated ({reason}). Send it again, whole.")
