"""Write a gray image as a PNG file."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from service.imaging.png import SIGNATURE


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (H, W), 0 = black, as an 8-bit gray PNG file."""
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = np.pad(pixels, ((0, 0), (1, 0)))  # each row begins with its filter: none
    content = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in content)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
