"""The processes of a service: their memory, descriptors and threads, and signals to them."""

import asyncio
import os
import re
import signal
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from tests.service.process.running_service import children
from tests.soak.record import Record, Sample

PAUSE = 0.2
"""Seconds for which a process is stopped."""

HARMLESS = (signal.SIGWINCH, signal.SIGURG, signal.SIGCHLD, signal.SIGCONT, signal.SIGPIPE)
"""Signals that nobody has to handle."""

MEMORY = re.compile(r"^(?:RssAnon|VmSwap):\s+(\d+) kB$", re.MULTILINE)
UNIQUE = re.compile(r"^(?:Pss_Anon|SwapPss):\s+(\d+) kB$", re.MULTILINE)
"""Anonymous memory in `status` and `smaps_rollup`. Pages of files come and go with what other programs read."""


def family(pid: int) -> list[int]:
    """Return the service's process and its workers."""
    return [pid, *sorted(children(pid))]


def sample(pid: int, at: float) -> Sample:
    """Sample the processes of a service. One that ends meanwhile counts as nothing."""
    parts = [part for process in family(pid) if (part := _measure(process)) is not None]
    memory, unique, descriptors, threads = map(sum, zip(*parts, strict=True))
    return Sample(at, memory, unique, descriptors, threads)


def _measure(pid: int) -> tuple[int, int, int, int] | None:
    folder = Path(f"/proc/{pid}")
    try:
        memory = _bytes(MEMORY, folder / "status")
        unique = _bytes(UNIQUE, folder / "smaps_rollup")
        return memory, unique, _count(folder / "fd"), _count(folder / "task")
    except OSError:
        return None


def _bytes(pattern: re.Pattern[str], file: Path) -> int:
    return sum(map(int, pattern.findall(file.read_text()))) * 1024


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def middle(samples: Iterable[Sample]) -> Sample:
    """Return the median of each number."""
    of = list(samples)
    return Sample(
        of[0].at,
        round(median(sample.memory for sample in of)),
        round(median(sample.unique for sample in of)),
        round(median(sample.descriptors for sample in of)),
        round(median(sample.threads for sample in of)),
    )


async def disturb(pid: int, record: Record) -> None:
    """Send each process signals that must not matter, and stop it for a moment."""
    record.note("signals")
    for process in family(pid):
        for number in HARMLESS:
            os.kill(process, number)
        os.kill(process, signal.SIGSTOP)
        await asyncio.sleep(PAUSE)
        os.kill(process, signal.SIGCONT)


def kill_worker(pid: int, record: Record) -> None:
    """Kill one of several workers. The supervisor must replace it."""
    workers = children(pid)
    if len(workers) > 1:
        record.note_kill()
        os.kill(min(workers), signal.SIGKILL)
