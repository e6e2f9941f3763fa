"""Read the directory of a ZIP file entry by entry (APPNOTE 6.3.10). `zipfile` would hold all entries in memory."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from service.errors import FileError

END, END64, LOCATOR64, ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"

_END = struct.Struct("<4s4H2LH")
_LOCATOR64 = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_EXTRA_HEAD = struct.Struct("<2H")

MAX_COMMENT = 65_535
ZIP64_ID, ZIP64_VALUE = 1, 0xFFFFFFFF
UTF8_FLAG = 0x800


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One entry. offset: of its local header in the file. packed_size, size: bytes before and after unpacking."""

    name: str
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int


def read_directory(file: IO[bytes]) -> Iterator[ZipEntry]:
    """Yield the entries of a ZIP file without folders. Raises FileError where its directory is damaged."""
    start, end, count, shift = _find_directory(file)
    file.seek(start)
    for _ in range(count):
        head = file.read(_ENTRY.size)
        if len(head) < _ENTRY.size or not head.startswith(ENTRY) or file.tell() > end:
            raise damaged()
        entry = _read_entry(file, head, shift)
        if not entry.name.endswith("/"):
            yield entry


def damaged() -> FileError:
    """Return the error of an archive that is not as it should be."""
    return FileError("the ZIP file is damaged or truncated. Create it again.")


def _find_directory(file: IO[bytes]) -> tuple[int, int, int, int]:
    """Return start and end of the directory, its number of entries, and by how much all offsets are shifted."""
    file_size = file.seek(0, 2)
    tail_start = file.seek(max(0, file_size - _END.size - MAX_COMMENT))
    tail = file.read()
    position = tail.rfind(END)
    if position < 0 or position + _END.size > len(tail):
        raise damaged()
    *_, count, size, offset, _ = _END.unpack_from(tail, position)
    end = tail_start + position
    locator = end - _LOCATOR64.size
    if locator >= 0:
        file.seek(locator)
        signature, _, end64, _ = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
        if signature == LOCATOR64:
            return _find_directory64(file, end64, locator)
    start = end - size
    if start < offset:
        raise damaged()
    return start, end, count, start - offset  # a file may have something before the archive


def _find_directory64(file: IO[bytes], position: int, limit: int) -> tuple[int, int, int, int]:
    if position > limit:
        raise damaged()
    file.seek(position)
    record = file.read(_END64.size)
    if len(record) < _END64.size or not record.startswith(END64):
        raise damaged()
    *_, count, size, offset = _END64.unpack(record)
    if offset + size > limit:
        raise damaged()
    return offset, offset + size, count, 0


def _read_entry(file: IO[bytes], head: bytes, shift: int) -> ZipEntry:
    fields = _ENTRY.unpack(head)
    flags, method, (crc, packed_size, size, name_length, extra_length, comment_length) = *fields[3:5], fields[7:13]
    name, extra = file.read(name_length), file.read(extra_length)
    file.seek(comment_length, 1)
    size, packed_size, offset = _widen(extra, [size, packed_size, fields[-1]])
    text = name.decode("utf-8", "replace") if flags & UTF8_FLAG else name.decode("cp437")
    return ZipEntry(text, flags, method, crc, packed_size, size, offset + shift)


def _widen(extra: bytes, values: list[int]) -> list[int]:
    """Replace the values that do not fit into 32 bits by those of the ZIP64 extra field."""
    position = 0
    while ZIP64_VALUE in values and position + _EXTRA_HEAD.size <= len(extra):
        kind, length = _EXTRA_HEAD.unpack_from(extra, position)
        position += _EXTRA_HEAD.size
        if kind == ZIP64_ID:
            wide = iter(struct.unpack_from(f"<{min(length, len(extra) - position) // 8}Q", extra, position))
            return [next(wide, ZIP64_VALUE) if value == ZIP64_VALUE else value for value in values]
        position += length
    return values
