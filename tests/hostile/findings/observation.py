"""Observe a running service while something hostile happens to it."""

import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.probe import probing
from benchmarks.server import ticks
from tests.conftest import ROOT
from tests.service.process.running_service import COMMAND, Service, running_service
from tests.soak.processes import family

MAX_SECONDS, MAX_HEALTH_MS, MAX_MEGABYTES = 1.0, 250.0, 64.0
"""The bars: processor time of a request, worst latency of /health meanwhile, growth of the peak memory."""

QUICK_SECONDS, FEW_MEGABYTES = 0.2, 20.0
"""What most crafted uploads stay within."""

TICKS_PER_SECOND = 100
PROBE_SECONDS = 0.1
"""Before and after what is observed, so that each observation has some probes."""


@dataclass
class Observation:
    """What happened to a service.

    seconds: of processor time, because on a busy machine the elapsed ones say nothing. elapsed: in seconds. health_ms:
    the worst latency of /health. megabytes: growth of the peak memory.
    """

    seconds: float = 0.0
    elapsed: float = 0.0
    health_ms: float = 0.0
    megabytes: float = 0.0

    @property
    def holds(self) -> bool:
        """Return whether all bars are met."""
        return self.seconds <= MAX_SECONDS and self.is_harmless

    @property
    def is_harmless(self) -> bool:
        """Return whether the bars other than that of the time are met."""
        return self.health_ms <= MAX_HEALTH_MS and self.megabytes <= MAX_MEGABYTES

    @property
    def is_quick(self) -> bool:
        """Return whether it took little time and memory."""
        return self.seconds <= QUICK_SECONDS and self.megabytes <= FEW_MEGABYTES

    def __str__(self) -> str:
        return (
            f"{self.seconds:.2f} s of processor time, {self.elapsed:.2f} s, {self.megabytes:.0f} MB, /health"
            f" {self.health_ms:.0f} ms"
        )


@dataclass(frozen=True)
class Outcome:
    """Whether a finding is mended, and what happens now."""

    holds: bool
    now: str


def quiet_service(log: Path, command: Sequence[str] = COMMAND, **environ: str) -> AbstractContextManager[Service]:
    """Run the service without its access log."""
    return running_service(log, command, ROOT, subprocess.DEVNULL, **environ)


@contextmanager
def observed(service: Service) -> Iterator[Observation]:
    """Observe a service until the block ends. Then the observation is complete."""
    observation = Observation()
    processes = family(service.process.pid)
    for process in processes:
        Path(f"/proc/{process}/clear_refs").write_text("5")  # resets the peak
    before = _memory(processes, "VmRSS")
    with probing(service.port, "/health") as probes:
        time.sleep(PROBE_SECONDS)
        started, before_ticks = time.monotonic(), sum(map(ticks, processes))
        yield observation
        observation.elapsed = time.monotonic() - started
        observation.seconds = (sum(map(ticks, processes)) - before_ticks) / TICKS_PER_SECOND
        time.sleep(PROBE_SECONDS)
    observation.health_ms = float("inf") if probes[0].failures else probes[0].worst
    observation.megabytes = (_memory(processes, "VmHWM") - before) / 1e6


def worst(observations: Iterable[Observation]) -> Observation:
    """Return the highest of each number."""
    of = list(observations)
    return Observation(*(max(getattr(each, field.name) for each in of) for field in fields(Observation)))


def _memory(processes: Iterable[int], key: str) -> int:
    """Sum a number of bytes of the processes' status."""
    lines = (line for pid in processes for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))
