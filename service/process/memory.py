"""Use less memory: return what is free to the system, and share what forked workers do not change.

A function does nothing where the system lacks what it needs: Linux's /proc, or glibc.
"""

import ctypes
import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

MADV_DONTNEED = 4

CLEAN_FILE_MAPPING = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ [1-9]\d* .*\n"  # start, end; private, not writable, of a file
    r"(?:[A-Z].*\n)*?Anonymous: +0 kB$",  # none of its pages was ever written
    re.MULTILINE,
)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h

MMAP_THRESHOLD = 524_288
"""Bytes. Larger blocks are mapped separately, so freeing them returns their memory at once. Smaller ones, such as the
bands of a PNG file and most arrays of preprocessing, are taken from the heap, whose pages are there already."""

TRIM_THRESHOLD = 4_000_000
"""Bytes of free memory that the heap keeps at its end until `release_free_heap`."""

KEPT_MMAP_THRESHOLD, KEPT_TRIM_THRESHOLD = 32_000_000, 64_000_000
"""The same two, where there is no memory limit: the pixels of a photo stay in the heap for the next one."""

_libc = ctypes.CDLL(None)


def bound_heap() -> None:
    """Make freed memory return to the system, whichever thread used it.

    By default glibc gives each thread an arena of its own, which keeps what it once held, and maps ever larger blocks
    inside the arenas. Call it before the first thread starts.
    """
    _set_heap({M_ARENA_MAX: 1, M_MMAP_THRESHOLD: MMAP_THRESHOLD, M_TRIM_THRESHOLD: TRIM_THRESHOLD})


def keep_freed_heap() -> None:
    """Keep freed memory in the process until `release_free_heap`. Call this only without a memory limit.

    It takes the system four microseconds to provide a page again: a quarter of the time of a drawing of 3.7 megapixels.
    """
    _set_heap({M_MMAP_THRESHOLD: KEPT_MMAP_THRESHOLD, M_TRIM_THRESHOLD: KEPT_TRIM_THRESHOLD})


def _set_heap(parameters: Mapping[int, int]) -> None:
    """Set parameters of glibc's malloc."""
    if hasattr(_libc, "mallopt"):  # glibc has it, musl has not
        for parameter, value in parameters.items():
            _libc.mallopt(parameter, value)


def drop_clean_file_pages() -> None:
    """Drop the pages of library code and other unmodified files from this process.

    Loading a model alone runs through ten megabytes of code that never runs again. Code that does run again is mapped
    from the page cache, at a few microseconds per page.
    """
    with suppress(OSError):  # no /proc
        for start, end in _clean_file_mappings():
            _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def freeze_objects() -> None:
    """Take the objects that exist now out of garbage collection. Call it before the first fork.

    A full collection stops the process for some hundredths of a second, and writes to every object: in each forked
    worker it would copy nine megabytes that the processes share.
    """
    gc.freeze()


def collect_garbage() -> None:
    """Free what failed requests have left behind in reference cycles, and return free heap to the system.

    Takes about a millisecond if the objects of start-up are frozen.
    """
    gc.collect()
    release_free_heap()


def release_free_heap() -> None:
    """Return free heap to the system. By itself, glibc keeps what one burst of requests took.

    Takes a fraction of a millisecond, more after large images.
    """
    if hasattr(_libc, "malloc_trim"):  # glibc has it, musl has not
        _libc.malloc_trim(0)


def _clean_file_mappings() -> Iterator[tuple[int, int]]:
    """Yield start and end of each file mapping that still equals its file."""
    for match in CLEAN_FILE_MAPPING.finditer(Path("/proc/self/smaps").read_text()):
        yield int(match[1], 16), int(match[2], 16)
