"""Workers follow the CPU and memory limits of the container, not of its host."""

import os
from pathlib import Path

import pytest

from service.process.limits import (
    BYTES_PER_WORKER,
    IDLE_BYTES,
    MEMORY_MARGIN,
    cpu_count,
    memory_limit,
    worker_count,
)
from service.settings import Settings
from service.web.admission import MemoryBudget

HOST = len(os.sched_getaffinity(0))
TWO_WORKERS = min(2, HOST)

CGROUPS = {  # files, CPUs, memory, workers
    "no cgroup": ({}, HOST, 0, HOST),
    "no limit": ({"cpu.max": "max 100000", "memory.max": "max"}, HOST, 0, HOST),
    "one CPU": ({"cpu.max": "100000 100000"}, 1, 0, 1),
    "half a CPU": ({"cpu.max": "50000 100000"}, 1, 0, 1),
    "one and a half CPUs": ({"cpu.max": "150000 100000"}, 1, 0, 1),
    "more CPUs than the host": ({"cpu.max": "99900000 100000"}, HOST, 0, HOST),
    "memory for one worker": ({"cpu.max": "max 100000", "memory.max": "134217728"}, HOST, 134_217_728, 1),
    "memory for two workers": ({"memory.max": f"{2 * BYTES_PER_WORKER}"}, HOST, 2 * BYTES_PER_WORKER, TWO_WORKERS),
    "memory for not quite two": ({"memory.max": f"{2 * BYTES_PER_WORKER - 1}"}, HOST, 2 * BYTES_PER_WORKER - 1, 1),
    "hardly any memory": ({"memory.max": "10000000"}, HOST, 10_000_000, 1),
    "version 1": ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1, 0, 1),
    "version 1, no limit": ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, HOST, 0, HOST),
    "version 1, no memory limit": ({"memory/memory.limit_in_bytes": "9223372036854771712"}, HOST, 0, HOST),
    "version 1, little memory": ({"memory/memory.limit_in_bytes": "134217728"}, HOST, 134_217_728, 1),
}


@pytest.mark.parametrize("name", CGROUPS)
def test_limits_are_those_of_the_cgroup(name: str, tmp_path: Path) -> None:
    """Run one worker per whole CPU of the quota, capped at one per BYTES_PER_WORKER of memory, at least one."""
    files, cpus, memory, workers = CGROUPS[name]
    for file, content in files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content + "\n")
    assert cpu_count(tmp_path) == cpus
    assert memory_limit(tmp_path) == memory
    assert worker_count(tmp_path) == workers


def test_memory_per_worker_holds_the_default_limits() -> None:
    """Leave a worker's budget with room for the largest upload and the most expensive image that are allowed."""
    settings = Settings(memory_budget=BYTES_PER_WORKER - IDLE_BYTES - MEMORY_MARGIN, threads=1)
    budget = MemoryBudget.from_settings(settings)
    assert budget.large_bodies.capacity >= settings.max_upload_bytes
    assert budget.decoding.capacity >= settings.max_decoded_bytes
