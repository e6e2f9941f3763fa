"""Walk a folder and its subfolders in bounded memory."""

import os
from collections.abc import Iterator
from itertools import chain, islice

from service.cli.source import FailedSource, FolderFile, Source, unreadable

MAX_SORTED = 10_000
"""Entries of a folder that are sorted by name. More of them are read as the file system lists them."""

FolderKey = tuple[int, int]
"""Device and inode."""

LINK_LOOP = "it is a link to a folder that is read already, and is left out."


def walk_folder(path: str) -> Iterator[Source]:
    """Yield the files of a folder and its subfolders, without hidden ones.

    Links are followed, but each folder that a link leads to is read once, and never one that contains the link. What
    cannot be listed is a failed source.
    """
    try:
        levels = [_Level(path)]
    except OSError as error:
        yield FailedSource(path, str(unreadable(error)))
        return
    linked: set[FolderKey] = set()
    while levels:
        entry = next(levels[-1].entries, None)
        item = _visit(entry, levels, linked) if entry else None
        if item is None:
            levels.pop()
        elif isinstance(item, _Level):
            levels.append(item)
        else:
            yield item


class _Level:
    """A folder on the way from the root to the current file. entries: those that are not hidden and not read yet."""

    def __init__(self, path: str) -> None:
        status = os.stat(path)  # noqa: PTH116 - a Path per entry would take longer than the listing
        self.key: FolderKey = (status.st_dev, status.st_ino)
        listing = (entry for entry in os.scandir(path) if not entry.name.startswith("."))
        first = list(islice(listing, MAX_SORTED + 1))
        if len(first) <= MAX_SORTED:
            self.entries: Iterator[os.DirEntry[str]] = iter(sorted(first, key=lambda entry: entry.name))
        else:
            self.entries = chain(first, listing)


def _visit(entry: os.DirEntry[str], levels: list[_Level], linked: set[FolderKey]) -> Source | _Level:
    """Return a file, or the folder to go on with. linked: folders that links led to."""
    try:
        if not entry.is_dir():
            return FolderFile(entry.path)
        level = _Level(entry.path)
    except OSError as error:
        return FailedSource(entry.path, str(unreadable(error)))
    if not entry.is_symlink():
        return level
    if level.key in linked or any(level.key == other.key for other in levels):
        return FailedSource(entry.path, LINK_LOOP)
    linked.add(level.key)
    return level
