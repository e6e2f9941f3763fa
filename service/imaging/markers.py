"""Count the markers of JPEG scans: a photo has millions of bytes, and each search through them takes milliseconds."""

import numpy as np
from numpy.typing import NDArray

from service.imaging.buffers import Buffer

EOI = 0xD9
CHUNK_BYTES = 65_536
"""Bytes that are examined at a time, which bounds the memory of the intermediate arrays."""


def count_markers(image_bytes: Buffer, start: int) -> tuple[list[int], int]:
    """Count what follows each byte 0xFF from `start` to the end marker of the image.

    Returns the number of occurrences of each byte, 256 integers, and where the image ends: behind its end marker, or at
    the end of the bytes if there is none.
    """
    content = np.frombuffer(image_bytes, np.uint8)[start:]
    counts = np.zeros(256, np.int64)
    for begin in range(0, len(content), CHUNK_BYTES):
        chunk = content[begin : begin + CHUNK_BYTES + 1]
        kinds = _following(chunk)
        if (kinds == EOI).any():
            length = bytes(chunk).index(bytes((0xFF, EOI))) + 2
            return (counts + _histogram(_following(chunk[:length]))).tolist(), start + begin + length
        counts += _histogram(kinds)
    return counts.tolist(), len(image_bytes)


def _following(chunk: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(chunk[1:][chunk[:-1] == 0xFF])


def _histogram(kinds: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(kinds, minlength=256)
