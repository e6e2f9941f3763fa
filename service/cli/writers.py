"""Write rows to standard output as a table, as JSON or as CSV. Each call writes whole rows."""

import csv
import json
from collections.abc import Sequence
from io import StringIO
from typing import BinaryIO, Protocol

from service.cli.record import record_maker
from service.cli.result import DECIMALS, Row

MIN_FILE_WIDTH = 20


class Writer(Protocol):
    """Writes rows in their order."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows, so that none of them is lost or cut if the process ends afterwards."""

    def close(self) -> None:
        """Complete what was written."""


class TableWriter:
    """Writes a table that people read. The first column grows with the longest name so far."""

    def __init__(self, stream: BinaryIO, is_number: bool) -> None:
        self._stream = stream
        self._width = MIN_FILE_WIDTH
        self._header = f"{'number' if is_number else 'digit':>6}  confidence"

    def write(self, rows: Sequence[Row]) -> None:
        """Write one line per row, below a header."""
        names = [escape_controls(row.file) for row in rows]
        self._width = max(self._width, *map(len, names))
        lines = [f"{'file':<{self._width}}  {self._header}"] if self._header else []
        self._header = ""
        lines += [f"{name:<{self._width}}  {_answer(row)}" for name, row in zip(names, rows, strict=True)]
        _write(self._stream, _join(lines))

    def close(self) -> None:
        """Do nothing: every line is complete."""


class JsonWriter:
    """Writes one JSON object per line. All have the same keys."""

    def __init__(self, stream: BinaryIO, is_number: bool) -> None:
        self._stream = stream
        self._to_record = record_maker(is_number)

    def write(self, rows: Sequence[Row]) -> None:
        """Write one line per row."""
        _write(self._stream, _join([json.dumps(self._to_record(row)) for row in rows]))

    def close(self) -> None:
        """Do nothing: every line is complete."""


class CsvWriter:
    """Writes comma-separated values with a header."""

    def __init__(self, stream: BinaryIO, is_number: bool) -> None:
        self._stream = stream
        self._to_record = record_maker(is_number)
        self._columns = ["file", "number" if is_number else "digit", "confidence", "error"]
        self._header = [self._columns]

    def write(self, rows: Sequence[Row]) -> None:
        """Write one record per row, the first time below the header."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(self._header)
        self._header = []
        writer.writerows([record[column] for column in self._columns] for record in map(self._to_record, rows))
        _write(self._stream, text.getvalue())

    def close(self) -> None:
        """Do nothing: every record is complete."""


def escape_controls(text: str) -> str:
    """Escape what is not printable: a file name must not change the terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _answer(row: Row) -> str:
    result = row.result
    if result.error:
        return f"{'-':>6}  {'-':>10}  {escape_controls(result.error)}"
    return f"{result.number:>6}  {result.confidence:>10.{DECIMALS}f}"


def _join(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _write(stream: BinaryIO, text: str) -> None:
    """Write all of a text, whatever the locale is.

    With PYTHONUNBUFFERED, a text stream loses the rest of a write that a signal interrupts.
    """
    rest = memoryview(text.encode())
    while rest:
        rest = rest[stream.write(rest) or 0 :]
    stream.flush()
