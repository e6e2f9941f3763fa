"""Fuzz one target without guidance: `python -m tests.fuzz.corrupted TARGET SECONDS`.

It runs truncations and changed bytes of the seeds, in random order and never twice, then hypothesis' inputs, then
corruptions at several places. It is fast where libFuzzer, which traces each line, is clever.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice

from tests.fuzz.corpus import corruptions, every_corruption
from tests.fuzz.crash_files import keep
from tests.fuzz.properties import run_property
from tests.fuzz.targets import TARGETS

BATCH, EXAMPLES = 100, 200
"""Inputs between two looks at the clock: of this module and of hypothesis."""

ONE_PLACE_SHARE, PROPERTY_SHARE = 0.5, 0.2
"""Shares of the time. The rest is for corruptions at several places."""


def main() -> int:
    """Run all inputs. Keep the first one that crashes the target, and raise its exception."""
    target, seconds = sys.argv[1], float(sys.argv[2])
    begun, seed, count = time.monotonic(), time.time_ns(), 0
    try:
        for new in stages(target, seed, begun, seconds):
            count += new
    finally:
        print(f"number_of_executed_units: {count}")
    return 0


def stages(target: str, seed: int, begun: float, seconds: float) -> Iterator[int]:
    """Run the inputs of each kind for its share of the time. Yields how many were run."""
    yield from run(target, every_corruption(target, seed), begun + ONE_PLACE_SHARE * seconds)
    until = time.monotonic() + PROPERTY_SHARE * seconds
    while time.monotonic() < until:
        yield run_property(target, EXAMPLES)
    yield from run(target, corruptions(target, seed), begun + seconds)


def run(target: str, inputs: Iterable[bytes], until: float) -> Iterator[int]:
    """Run inputs until a time. Yields how many were run. An input that crashes the target is kept."""
    remaining = iter(inputs)
    while time.monotonic() < until and (batch := list(islice(remaining, BATCH))):
        for data in batch:
            with keep(target, data):
                TARGETS[target](data)
        yield len(batch)


if __name__ == "__main__":
    sys.exit(main())
