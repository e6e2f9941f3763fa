"""CPU, memory and descriptor limits of the container (cgroup v2 or v1), not of its host."""

import os
import re
import resource
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")

IDLE_BYTES = 45_000_000
"""Memory of an idle worker that has answered before, the kernel's included: 40 to 44 MB, measured in a container."""

MEMORY_MARGIN = 12_500_000
"""Memory of a worker beyond its idle memory and its budget.

Preprocessing, connections and fragmentation took up to 5 MB while 64 large uploads came at once
(`python -m benchmarks.crowd`). The rest is for the code that runs: the kernel drops and reads it again where memory is
short, but needs some.
"""

BYTES_PER_WORKER = 128_000_000
"""The memory in which a worker keeps every default limit: rounded up from the sum of what it may hold at once.

45 MB idle, 12.5 MB margin, 10 MB for the largest upload (MAX_UPLOAD_BYTES), 50 MB for decoding one image
(MAX_DECODED_BYTES), 1.5 MB for small bodies: 119 MB. With less, images that need more are refused.
"""

MIN_BUDGET = 12_000_000
RESERVED_DESCRIPTORS = 64
"""Descriptors that are not connections: listeners, libraries, files."""


def worker_count(cgroup: Path = CGROUP) -> int:
    """Return one worker per CPU, capped at one per BYTES_PER_WORKER of memory; at least one."""
    cpus, memory = cpu_count(cgroup), memory_limit(cgroup)
    return max(1, min(cpus, memory // BYTES_PER_WORKER)) if memory else cpus


def cpu_count(cgroup: Path = CGROUP) -> int:
    """Return the whole CPUs that the cgroup's quota gives, at least one, at most those of the CPU affinity."""
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
    """Return the memory limit in bytes, 0 if there is none. Version 1 says so by a number beyond any memory."""
    words = _words(cgroup / "memory.max") or _words(cgroup / "memory/memory.limit_in_bytes")
    limit = int(words[0]) if words and words[0].isdecimal() else 0
    return limit if limit < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") else 0


def memory_budget(workers: int, cgroup: Path = CGROUP) -> int:
    """Return the memory budget of all requests of one worker together in bytes, 0 if there is no memory limit.

    That is the worker's share of the limit, less what this process takes now that it has loaded the model.
    """
    limit = memory_limit(cgroup)
    return max(MIN_BUDGET, limit // workers - _anonymous_bytes() - MEMORY_MARGIN) if limit else 0


def _anonymous_bytes() -> int:
    """Return the memory of this process that the kernel cannot drop: what is not backed by files."""
    match = re.search(r"^RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open descriptors to the hard limit, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _words(path: Path) -> tuple[str, ...]:
    """Return the words of a cgroup file, none if the file is missing."""
    try:
        return tuple(path.read_text().split())
    except OSError:
        return ()
