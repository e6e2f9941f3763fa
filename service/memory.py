"""Memory that nothing needs any more goes back to the system. Linux; elsewhere nothing happens."""

import ctypes
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MADV_DONTNEED = 4

UNWRITTEN = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ [1-9]\d* .*\n"  # from, to; private, not writable, of a file
    r"(?:[A-Z].*\n)*?Anonymous: +0 kB$",  # and no page of it was ever written
    re.MULTILINE,
)

_libc = ctypes.CDLL(None)


def forget_start() -> None:
    """Let go of library code that has run for the last time: loading a model alone runs through ten megabytes of it.

    What serving calls is mapped again when it is called, out of the page cache, a few microseconds a page.
    """
    with suppress(OSError):  # no /proc
        for start, end in _unwritten_files():
            _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


async def trim() -> None:
    """Let go of what the heap holds free: by itself glibc keeps all that one crowd of requests took, for ever.

    It takes a fraction of a millisecond, some more after large pictures.
    """
    if hasattr(_libc, "malloc_trim"):  # glibc has it, musl has not
        _libc.malloc_trim(0)


def _unwritten_files() -> Iterator[tuple[int, int]]:
    """Start and end of the mappings of files that still hold just what the file does."""
    for found in UNWRITTEN.finditer(Path("/proc/self/smaps").read_text()):
        yield int(found[1], 16), int(found[2], 16)
