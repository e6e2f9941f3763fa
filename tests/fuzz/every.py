"""Run every corruption of the examples at one place: cut at each length, and each byte changed in five ways."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from tests.fuzz.crash_files import keep
from tests.fuzz.mutations import corruptions_at
from tests.fuzz.targets import TARGETS
from tests.golden import example_bytes

PLACES = 100
"""Places that a process runs at once."""


def run_every(target: str, limit: int | None = None) -> int:
    """Run the corruptions at all places, or at some that are drawn, on all CPUs. Returns how many ran."""
    places = [(name, index) for name, whole in example_bytes().items() for index in range(len(whole))]
    random.Random(0).shuffle(places)
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return sum(pool.map(_run, _batches(target, places[:limit])))


def _batches(target: str, places: list[tuple[str, int]]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    remaining = iter(places)
    while batch := list(islice(remaining, PLACES)):
        yield target, batch


def _run(job: tuple[str, list[tuple[str, int]]]) -> int:
    target, places = job
    examples, count = example_bytes(), 0
    for name, index in places:
        for data in corruptions_at(examples[name], index):
            with keep(target, data):
                TARGETS[target](data)
            count += 1
    return count
