"""Buffers of encoded images: a large upload is a bytearray, which is never copied on its way to Pillow."""

from io import SEEK_CUR, SEEK_END, BytesIO
from typing import IO, Any, cast

Buffer = bytes | bytearray


def keep_ranges(buffer: Buffer, ranges: list[tuple[int, int]]) -> Buffer:
    """Return these ranges of a buffer, given as start and end, in order: the buffer itself if that is all of it.

    A bytearray is changed in place, in one pass.
    """
    if ranges == [(0, len(buffer))]:
        return buffer
    if isinstance(buffer, bytes):
        return b"".join(buffer[start:end] for start, end in ranges)
    size = 0
    with memoryview(buffer) as view:
        for start, end in ranges:
            view[size : size + end - start] = view[start:end]
            size += end - start
    del buffer[size:]
    return buffer


def open_buffer(buffer: Buffer) -> IO[bytes]:
    """Return a file that reads a buffer. BytesIO would copy a bytearray."""
    return BytesIO(buffer) if isinstance(buffer, bytes) else cast(IO[bytes], _BytearrayFile(buffer))


class _BytearrayFile:
    """The part of a binary file that Pillow's decoders use."""

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = buffer
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        end = len(self._buffer) if size < 0 else self._position + size
        content = bytes(self._buffer[self._position : end])
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {SEEK_CUR: self._position, SEEK_END: len(self._buffer)}.get(whence, 0)
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self, *_: Any) -> None:
        """Do nothing: the buffer belongs to its request."""
