"""A source: one file that is to be read, wherever its bytes are."""

import os
import stat
import sys
from dataclasses import dataclass
from typing import IO, Protocol

from service.errors import FileError

MAX_FILE_BYTES = 100_000_000
"""Larger files are refused, so that memory stays bounded."""

READ_BYTES = 65_536


class Source(Protocol):
    """One file. name: as it is shown."""

    @property
    def name(self) -> str:
        """Return the name of the file in its row."""

    def read(self) -> bytes:
        """Return the bytes of the file. Raises FileError if they cannot be read."""


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A path that was named or found, and that cannot be read as a file."""

    name: str
    reason: str

    def read(self) -> bytes:
        """Raise the reason."""
        raise FileError(self.reason)


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file that was found in a folder. Anything but a regular file fails: reading a named pipe could wait forever."""

    name: str

    def read(self) -> bytes:
        """Return the bytes of the file. Raises FileError if they cannot be read."""
        try:
            with open(self.name, "rb", buffering=0, opener=_open_without_waiting) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise FileError("it is not a regular file.")
                check_size(status.st_size)
                return file.readall()
        except OSError as error:
            raise unreadable(error) from error


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that the command line names. It may be a pipe, such as <(…) in a shell."""

    name: str

    def read(self) -> bytes:
        """Return the bytes of the file. Raises FileError if they cannot be read."""
        try:
            with open(self.name, "rb") as file:  # noqa: PTH123 - a Path per file costs time
                return read_stream(file)
        except OSError as error:
            raise unreadable(error) from error


@dataclass(frozen=True, slots=True)
class StandardInput:
    """The image that standard input holds."""

    name: str = "-"

    def read(self) -> bytes:
        """Return all bytes of standard input. Raises FileError if there are too many."""
        try:
            return read_stream(sys.stdin.buffer)
        except OSError as error:
            raise unreadable(error) from error


def read_stream(stream: IO[bytes]) -> bytes:
    """Read a stream of unknown length to its end. Raises FileError once it is longer than MAX_FILE_BYTES."""
    parts, size = [], 0
    while part := stream.read(READ_BYTES):
        parts.append(part)
        size += len(part)
        check_size(size)
    return b"".join(parts)


def check_size(size: int) -> None:
    """Raise FileError if a file has more than MAX_FILE_BYTES bytes."""
    if size > MAX_FILE_BYTES:
        raise FileError(f"it has more than {MAX_FILE_BYTES / 1e6:.0f} MB. Send a smaller image: 28 x 28 is enough.")


def unreadable(error: OSError) -> FileError:
    """Return the error that says why a file or folder cannot be read."""
    return FileError(f"it cannot be read ({error.strerror or error}).")


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
