"""How many CPUs and how much memory this process may use: what the container allows, not what the host has."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")

WORKER_BYTES = 128_000_000
"""What a worker may need while it reads large pictures and others arrive: with 64 MB each, two were killed in 128."""


def workers(cgroup: Path = CGROUP) -> int:
    """As many as there are CPUs to run them and memory to hold them: at least one."""
    count, memory = cpus(cgroup), memory_limit(cgroup)
    return max(1, min(count, memory // WORKER_BYTES)) if memory else count


def cpus(cgroup: Path = CGROUP) -> int:
    """Whole CPUs: of those that the process may be scheduled on, the share that its cgroup (v2 or v1) gives it."""
    allowed = len(os.sched_getaffinity(0))
    quota, period = (
        _words(cgroup / "cpu.max")
        or (
            *_words(cgroup / "cpu/cpu.cfs_quota_us"),
            *_words(cgroup / "cpu/cpu.cfs_period_us"),
        )
        or ("max", "1")
    )
    limited = quota.isdecimal() and period.isdecimal() and int(period) > 0
    return max(1, min(allowed, int(quota) // int(period))) if limited else allowed


def memory_limit(cgroup: Path = CGROUP) -> int:
    """Bytes; 0 where there is no limit."""
    words = _words(cgroup / "memory.max") or _words(cgroup / "memory/memory.limit_in_bytes")
    return int(words[0]) if words and words[0].isdecimal() else 0


def _words(path: Path) -> tuple[str, ...]:
    """What a file of the cgroup says; nothing where there is no such file."""
    try:
        return tuple(path.read_text().split())
    except OSError:
        return ()
