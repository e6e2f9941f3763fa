"""Everything that a run writes: rows, reasons of failures, progress and the contact sheet."""

import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO

from service.cli.arguments import Arguments
from service.cli.inputs import find_sources
from service.cli.parquet import ParquetWriter
from service.cli.progress import Progress
from service.cli.result import Row
from service.cli.sheet import MAX_CELLS, Sheet
from service.cli.writers import CsvWriter, JsonWriter, TableWriter, Writer, escape_controls

FORMATS: dict[str, Callable[[BinaryIO, bool], Writer]] = {"table": TableWriter, "json": JsonWriter, "csv": CsvWriter}


class Output:
    """Writes rows, and counts them. done, failed: number of files."""

    def __init__(self, arguments: Arguments) -> None:
        """Create the files. Raises ServiceError if one cannot be created."""
        self.done = self.failed = 0
        self._writer = _make_writer(arguments)
        self._shows_reasons = arguments.output == "table"
        self._sheet = Sheet(arguments.show) if arguments.show else None
        self._progress = Progress(sys.stderr, _count(arguments))

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows and the reasons of those that failed."""
        failures = [row for row in rows if row.result.error]
        if (failures and not self._shows_reasons) or sys.stdout.isatty():
            self._progress.erase()
        self._writer.write(rows)
        if not self._shows_reasons:
            _report(failures)
        if self._sheet:
            self._sheet.add(rows)
        self.done += len(rows)
        self.failed += len(failures)
        self._progress.advance(len(rows))

    def close(self, is_interrupted: bool = False) -> None:
        """Complete the files, and say how many images failed or were read before an interruption."""
        self._progress.erase()
        self._writer.close()
        if self._sheet:
            self._sheet.close()
            if self.done > MAX_CELLS:
                _say(f"the contact sheet shows the first {MAX_CELLS} of {self.done:,} files.")
        if self.failed:
            _say(f"{self.failed:,} of {self.done:,} files could not be read.")
        if is_interrupted:
            _say(f"interrupted after {self.done:,} files. What was written is complete.")


def _make_writer(arguments: Arguments) -> Writer:
    if arguments.parquet:
        return ParquetWriter(arguments.parquet, arguments.is_number)
    return FORMATS[arguments.output](sys.stdout.buffer, arguments.is_number)


def _count(arguments: Arguments) -> int:
    """Count the files, which takes some microseconds each, if progress is shown."""
    return sum(1 for _ in find_sources(arguments.inputs)) if sys.stderr.isatty() else 0


def _report(failures: Sequence[Row]) -> None:
    for row in failures:
        _say(f"{escape_controls(row.file)}: {row.result.error}")


def _say(sentence: str) -> None:
    print(f"digit-predict: {sentence}", file=sys.stderr)
