"""Read the table of a user's own digits: a `labels.csv` with the columns file and digit."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from export.errors import DataError

TABLE = "labels.csv"
COLUMNS = ("file", "digit")


@dataclass(frozen=True)
class LabelRow:
    """One row of the table. line: its number in the file, from 1. digit: as it is written, not checked."""

    line: int
    file: str
    digit: str


def read_rows(folder: Path) -> list[LabelRow]:
    """Read the rows of `labels.csv`, without blank ones. Further columns are ignored.

    Raises DataError if the table cannot be read, has no header or lists no images.
    """
    table = folder / TABLE
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:  # Excel begins the file with a byte order mark
            rows = list(_parse(table, file))
    except OSError as error:
        raise DataError(
            f"{table} cannot be read ({error.strerror}). Name a folder that holds images and a {TABLE} with the columns"
            f" {' and '.join(COLUMNS)}."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} is not a CSV file in UTF-8 ({error}). Save it as one.") from error
    if not rows:
        raise DataError(f"{table} lists no images. Write one line per image below the header: seven.png,7")
    return rows


def _parse(table: Path, file: Iterator[str]) -> Iterator[LabelRow]:
    """Parse the lines of the table. Raises DataError if the first line is not a header."""
    reader = csv.DictReader(file, restval="")
    header = [name.strip().lower() for name in reader.fieldnames or []]
    if not header:
        raise DataError(f"{table} is empty. Write the header {','.join(COLUMNS)} and one line per image: seven.png,7")
    if any(header.count(column) != 1 for column in COLUMNS):
        raise DataError(
            f"{table}, line 1: {','.join(reader.fieldnames or [])!r} is not the header. The first line must name the"
            f" columns, separated by a comma: {','.join(COLUMNS)}"
        )
    reader.fieldnames = header
    for row in reader:
        yield LabelRow(reader.line_num, row["file"].strip(), row["digit"].strip())
