"""Write rows to a Parquet file in bounded memory. Needs pyarrow, which the service does not."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from service.cli.record import record_maker
from service.cli.replacement import Replacement
from service.cli.result import Row
from service.errors import ServiceError

ROWS_PER_GROUP = 10_000
"""Rows that are held until they are written as one row group: some megabytes."""


def check_pyarrow() -> None:
    """Raise ServiceError if pyarrow is not installed."""
    if find_spec("pyarrow") is None:
        raise ServiceError("--parquet needs pyarrow. Install it: pip install pyarrow.")


class ParquetWriter:
    """Writes a Parquet file under another name, and renames it when it is complete."""

    def __init__(self, path: Path, is_number: bool) -> None:
        """Create the file. Raises ServiceError if that is impossible."""
        import pyarrow  # optional, and started after the processes were forked: it has threads
        import pyarrow.parquet

        self._file = Replacement(path)
        self._to_record = record_maker(is_number)
        self._schema = pyarrow.schema(_columns(pyarrow, is_number))
        self._make_table = pyarrow.Table.from_pylist
        self._writer = pyarrow.parquet.ParquetWriter(self._file.partial, self._schema)
        self._records: list[dict[str, Any]] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Hold rows, and write full row groups."""
        self._records += map(self._to_record, rows)
        if len(self._records) >= ROWS_PER_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write the rest, and give the file its name."""
        self._write_group()
        self._writer.close()
        self._file.complete()

    def _write_group(self) -> None:
        if self._records:
            self._writer.write_table(self._make_table(self._records, self._schema))
        self._records = []


def _columns(pyarrow: Any, is_number: bool) -> dict[str, Any]:
    """Return the type of each column."""
    if is_number:
        fields = {"digit": pyarrow.int8(), "confidence": pyarrow.float64(), "box": pyarrow.list_(pyarrow.int32())}
        answer = {"number": pyarrow.string()}
        details = {"digits": pyarrow.list_(pyarrow.struct(fields))}
    else:
        answer = {"digit": pyarrow.int8()}
        details = {"probabilities": pyarrow.list_(pyarrow.float64())}
    text = pyarrow.string()
    return {"file": text, **answer, "confidence": pyarrow.float64(), **details, "error": text}
