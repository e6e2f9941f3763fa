"""Judge a soak by its record."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.soak.record import Record

MAX_GROWTH = 1.0
"""Megabytes by which memory may grow after the warm-up of ten minutes."""

NEEDED = (
    "small",
    "batch",
    "tensor",
    "photo",
    "bad",
    "crafted",
    "/health",
    "silent",
    "headers that stop",
    "body that stops",
)
"""Kinds that must have been answered, or the soak has tested nothing."""


@dataclass(frozen=True)
class Check:
    """One condition of the verdict, and what was measured."""

    name: str
    measured: str
    holds: bool


def growth(levels: Sequence[float]) -> float:
    """Return how much levels grow: the median of the last third less the median of the first, times 1.5.

    The two are two thirds of the time apart. One odd level does not count.
    """
    third = max(1, len(levels) // 3)
    return 1.5 * (median(levels[-third:]) - median(levels[:third]))


def checks(record: Record, warm_up: float, exit_status: int, log: str, max_growth: float = MAX_GROWTH) -> list[Check]:
    """Return every condition, for the time after the warm-up. max_growth: of memory, in megabytes."""
    levels = [level for level in record.levels if level.at >= warm_up]
    memory = growth([level.memory / 1e6 for level in levels])
    descriptors = growth([level.descriptors for level in levels])
    threads = growth([level.threads for level in levels])
    missing = [kind for kind in NEEDED if not record.counts[kind]]
    return [
        Check(f"memory grows by less than {max_growth:g} MB", f"{memory:+.2f} MB", memory < max_growth),
        Check("descriptors stay level", f"{descriptors:+g}", descriptors <= 0),
        Check("threads stay level", f"{threads:+g}", threads <= 0),
        Check("every response is right", f"{record.failure_count} wrong", record.failure_count == 0),
        Check("every kind was answered", ", ".join(missing) or "all", not missing),
        Check("the log has no traceback", f"{log.count('Traceback')}", "Traceback" not in log),
        Check("no image failed unexpectedly", f"{log.count('Unexpected')}", "Unexpected" not in log),
        Check("SIGTERM ends it with status 0", f"{exit_status}", exit_status == 0),
    ]
