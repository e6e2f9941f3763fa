"""What happened in a soak: latencies, counts, failures, events, and samples of the service's processes."""

import time
from collections import Counter
from dataclasses import dataclass

MAX_FAILURES = 50
"""Failures that are described. All are counted."""

RESET_SECONDS = 3.0
"""For how long after a worker was killed connections may break."""


@dataclass(frozen=True)
class Sample:
    """The service at one moment, all its processes together. at: seconds.

    memory: bytes of anonymous memory. With shared pages counted in each process, they do not change when a worker gets
    a copy of a page. unique: the same with shared pages counted once.
    """

    at: float
    memory: int
    unique: int
    descriptors: int
    threads: int


class Record:
    """Collects what the clients and the sampler see. Times are seconds from its start."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.levels: list[Sample] = []
        self.latencies: list[tuple[float, str, float]] = []
        self.counts: Counter[str] = Counter()
        self.events: list[tuple[float, str]] = []
        self.failures: list[str] = []
        self.failure_count = 0
        self._started = time.monotonic()
        self._killed = float("-inf")

    @property
    def now(self) -> float:
        """Seconds from the start."""
        return time.monotonic() - self._started

    @property
    def may_break(self) -> bool:
        """Whether a connection may break now, because its worker was killed."""
        return self.now - self._killed < RESET_SECONDS

    def answer(self, kind: str, begun: float) -> None:
        """Note a right response to a request that was begun at this time."""
        self.counts[kind] += 1
        self.latencies.append((self.now, kind, self.now - begun))

    def fail(self, message: str) -> None:
        """Note a wrong response, or none."""
        self.failure_count += 1
        if len(self.failures) < MAX_FAILURES:
            self.failures.append(f"{self.now:.1f} s: {message}")

    def note(self, event: str) -> None:
        """Note an event that the plot shows."""
        self.events.append((self.now, event))

    def note_kill(self) -> None:
        """Note that a worker was killed."""
        self._killed = self.now
        self.note("kill")
