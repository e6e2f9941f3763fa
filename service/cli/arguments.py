"""The arguments of `digit-predict`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from service import __version__

EPILOG = """\
A folder is read with its subfolders, without hidden files. Rows are in the order of the arguments; the files of a
folder or subfolder are sorted by name, unless it has more than 10,000 entries. A file that cannot be read is a row with
its error.

exit code: 0 all files were read; 1 some failed; 2 it could not start or write; 130 Ctrl-C.
environment: MODEL, WEIGHTS_DIR and MAX_DECODED_BYTES, as for digit-service."""


@dataclass(frozen=True)
class Arguments:
    """The parsed command line. output: table, json, csv or parquet. jobs: processes; 0: one per CPU."""

    inputs: tuple[str, ...]
    output: str
    parquet: Path | None
    show: Path | None
    is_number: bool
    jobs: int


def parse_arguments(arguments: Sequence[str]) -> Arguments:
    """Parse the command line. Exits with status 2 and a sentence if it is invalid."""
    parser = argparse.ArgumentParser(
        prog="digit-predict",
        usage="%(prog)s [options] IMAGE... | FOLDER | ZIP | -",
        description="Read handwritten digits from PNG and JPEG files.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(parser)
    parsed = parser.parse_args(arguments)
    output = "parquet" if parsed.parquet else "json" if parsed.json else "csv" if parsed.csv else "table"
    return Arguments(tuple(parsed.inputs), output, parsed.parquet, parsed.show, parsed.number, parsed.jobs)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files, folders, ZIP files; - reads an image")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object per line")
    output.add_argument("--csv", action="store_true", help="print comma-separated values with a header")
    output.add_argument("--parquet", type=Path, metavar="FILE", help="write a Parquet file (needs pyarrow)")
    parser.add_argument("--number", action="store_true", help="read all digits of a line, such as 407")
    parser.add_argument("--show", type=Path, metavar="SHEET.png", help="draw images, model inputs and predictions")
    parser.add_argument("--jobs", type=_job_count, default=1, metavar="N", help="processes (1); 0: one per CPU")
    parser.add_argument("--version", action="version", version=__version__)


def _job_count(text: str) -> int:
    if not text.isdecimal() or int(text) > 1_024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number between 0 and 1024")
    return int(text)
