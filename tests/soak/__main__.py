"""Soak a service for some minutes: `python -m tests.soak [--minutes N] [--max-growth MB] [--folder FOLDER]`.

Load and lulls take turns. Memory is the anonymous memory of each process, 2.5 s after the last response of a load. Its
growth compares the medians of the first and the last third of these levels, after a warm-up of a fifth of the time.
"""

import argparse
import sys
from pathlib import Path

from tests.soak.report import summary, write
from tests.soak.run import soak
from tests.soak.verdict import MAX_GROWTH


def main() -> int:
    """Soak, print the summary, write the files, and return 1 on a breach."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--max-growth", type=float, default=MAX_GROWTH, help="megabytes of memory after the warm-up")
    parser.add_argument("--folder", type=Path, default=Path("runs/soak"))
    arguments = parser.parse_args()
    result = soak(60 * arguments.minutes, arguments.max_growth)
    write(result, arguments.folder)
    print(f"{summary(result)}\nplot: {arguments.folder / 'soak.png'}")
    return 0 if result.holds else 1


if __name__ == "__main__":
    sys.exit(main())
