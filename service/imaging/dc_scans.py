"""Reduce a progressive JPEG file to the scans of its DC coefficients: all that decoding at 1/8 scale shows."""

import re

from service.imaging.buffers import Buffer
from service.imaging.jpeg import DRI, SOS
from service.imaging.markers import EOI

MAX_SEGMENTS = 256
"""Scans and segments after the first scan. Encoders write about thirty; a file with more is decoded as it is."""

MAX_SHARE = 0.25
"""Share of the file that the kept scans may take, which bounds the memory of their copy. Encoders write a tenth."""

MARKER = re.compile(rb"\xff([^\xff\x00\xd0-\xd7])", re.DOTALL)
"""A marker, other than the restart markers inside scans."""

MAX_COLOR_COMPONENTS = 4
"""Color components of a JPEG frame."""

BLOCKS_PER_BYTE = 2**13
"""In an empty scan, 15 zero bits are a run of 2^14 blocks without coefficients."""

NO_RESTARTS = bytes((0xFF, DRI, 0, 4, 0, 0))
EMPTY_BLOCKS_TABLE = bytes((0xFF, 0xC4, 0, 20, 0x10, 1, *bytes(15), 0xE0))
"""An AC Huffman table whose only code, a zero bit, starts a run of 2^14 empty blocks."""


def keep_dc_scans(content: Buffer, frame: bytes) -> bytes | None:
    """Return a progressive, Huffman-coded file with this frame segment without its AC scans.

    An empty AC scan per component replaces them: without one, the decoder would guess the AC coefficients and smooth
    the DC coefficients. At 1/8 scale, the pixels are those of the whole file. Returns None if the file is not whole, if
    it has no AC scan, or if its structure is unusual.
    """
    start = content.find(bytes((0xFF, SOS)))
    parts = _kept_parts(content, start)
    if parts is None or len(frame) < 10 or not 1 <= frame[9] <= MAX_COLOR_COMPONENTS:
        return None
    if sum(end - begin for begin, end in parts) > MAX_SHARE * len(content):
        return None
    kept = [bytes(content[begin:end]) for begin, end in [(0, start), *parts]]
    return b"".join([*kept, NO_RESTARTS, EMPTY_BLOCKS_TABLE, *_empty_scans(frame), bytes((0xFF, EOI))])


def _kept_parts(content: Buffer, position: int) -> list[tuple[int, int]] | None:
    """Return start and end of the DC scans and of the segments between scans. None if there is nothing to leave out."""
    parts: list[tuple[int, int]] = []
    is_shorter = False
    for _ in range(MAX_SEGMENTS):
        match = MARKER.search(content, position)
        if match is None:
            return None  # cut off
        start, marker = match.start(), match[1][0]
        if marker == EOI:
            return parts if is_shorter else None
        position = match.end() + int.from_bytes(content[match.end() : match.end() + 2], "big")
        is_ac = marker == SOS and not _is_dc_scan(content, match.end())
        if marker == SOS:
            following = MARKER.search(content, position)
            position = following.start() if following else len(content)
        if is_ac:
            is_shorter = True
        else:
            parts.append((start, position))
    return None


def _is_dc_scan(content: Buffer, start: int) -> bool:
    """Return whether the spectral selection of a scan, whose length is at `start`, begins with the DC coefficient."""
    selection = start + 3 + 2 * int.from_bytes(content[start + 2 : start + 3], "big")
    return content[selection : selection + 1] == b"\0"


def _empty_scans(frame: bytes) -> list[bytes]:
    """Return a scan of each component of a frame segment that sets all its AC coefficients to zero."""
    height, width = int.from_bytes(frame[5:7], "big"), int.from_bytes(frame[7:9], "big")
    blocks = (height // 8 + 1) * (width // 8 + 1)
    data = bytes(blocks // BLOCKS_PER_BYTE + 2)
    components = frame[10 : 10 + 3 * frame[9] : 3]
    return [bytes((0xFF, SOS, 0, 8, 1, component, 0, 1, 63, 0)) + data for component in components]
