"""Read the files of a ZIP archive without unpacking it on the disk."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from service.cli.source import FailedSource, Source, check_size, unreadable
from service.cli.zip_directory import ZipEntry, damaged, read_directory
from service.errors import FileError

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""How an archive starts: with an entry, or with its end."""

METADATA_FOLDER = "__MACOSX/"
"""What macOS adds to each archive."""

STORED, DEFLATED = 0, 8
ENCRYPTED_FLAG = 1

_LOCAL_HEAD = struct.Struct("<4s5H3L2H")


def is_archive(path: str) -> bool:
    """Return whether a file is a ZIP archive by its first bytes, or by its name if they are damaged."""
    with open(path, "rb") as file:  # noqa: PTH123 - as in source.py
        return file.read(4) in SIGNATURES or path.lower().endswith(".zip")


def list_archive(path: str) -> Iterator[Source]:
    """Yield the files of an archive, without hidden ones, and a failed source where its directory is damaged."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            yield from (ArchivedFile(path, entry) for entry in read_directory(file) if not _is_hidden(entry.name))
    except FileError as error:
        yield FailedSource(path, str(error))
    except OSError as error:
        yield FailedSource(path, str(unreadable(error)))


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file in an archive."""

    archive: str
    entry: ZipEntry

    @property
    def name(self) -> str:
        """Return the path of the archive and that in the archive."""
        return f"{self.archive}/{self.entry.name}"

    def read(self) -> bytes:
        """Unpack the file. Raises FileError if it is encrypted, damaged, too large or packed in another way."""
        if self.entry.flags & ENCRYPTED_FLAG:
            raise FileError("it is encrypted. Decrypt the archive first.")
        if self.entry.method not in (STORED, DEFLATED):
            raise FileError(f"its compression method {self.entry.method} is not supported. Use deflate, ZIP's default.")
        check_size(self.entry.size)
        check_size(self.entry.packed_size)
        content = self._unpack(self._read_packed())
        if len(content) != self.entry.size or zlib.crc32(content) != self.entry.crc:
            raise damaged()
        return content

    def _read_packed(self) -> bytes:
        try:
            with open(self.archive, "rb", buffering=0) as file:  # noqa: PTH123
                file.seek(self.entry.offset)
                head = file.read(_LOCAL_HEAD.size)
                if len(head) < _LOCAL_HEAD.size or not head.startswith(SIGNATURES[0]):
                    raise damaged()
                file.seek(sum(_LOCAL_HEAD.unpack(head)[-2:]), 1)
                return file.read(self.entry.packed_size)
        except OSError as error:
            raise unreadable(error) from error
        except OverflowError as error:  # an offset beyond 63 bits
            raise damaged() from error

    def _unpack(self, packed: bytes) -> bytes:
        """Unpack at most one byte more than the directory declares."""
        if self.entry.method == STORED:
            return packed
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, self.entry.size + 1)
        except zlib.error as error:
            raise damaged() from error


def _is_hidden(name: str) -> bool:
    return name.startswith(METADATA_FOLDER) or any(part.startswith(".") for part in name.split("/"))
