"""Expand the arguments of the command line into sources."""

import os
import stat
from collections.abc import Iterable, Iterator

from service.cli.archive import is_archive, list_archive
from service.cli.folder import walk_folder
from service.cli.source import FailedSource, NamedFile, Source, StandardInput, unreadable

STDIN = "-"


def find_sources(inputs: Iterable[str]) -> Iterator[Source]:
    """Yield the files that the arguments name, in order. An argument without files is a failed source."""
    for argument in inputs:
        sources = _expand(argument)
        first = next(sources, None)
        if first is None:
            yield FailedSource(argument, "it holds no files.")
        else:
            yield first
            yield from sources


def _expand(argument: str) -> Iterator[Source]:
    if argument == STDIN:
        return iter([StandardInput()])
    try:
        mode = os.stat(argument).st_mode  # noqa: PTH116 - as in folder.py
        if stat.S_ISDIR(mode):
            return walk_folder(argument)
        if stat.S_ISREG(mode) and is_archive(argument):
            return list_archive(argument)
    except OSError as error:
        return iter([FailedSource(argument, str(unreadable(error)))])
    return iter([NamedFile(argument)])
