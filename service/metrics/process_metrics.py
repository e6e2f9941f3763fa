"""Memory, descriptors and processor time of each worker process."""

import os
import time
from pathlib import Path

from service.metrics.registry import Registry

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class ProcessMetrics:
    """The standard process metrics of Prometheus, one sample per worker."""

    def __init__(self, registry: Registry) -> None:
        self._memory = registry.gauge("process_resident_memory_bytes", "Resident memory, shared pages included.")
        self._private = registry.gauge("process_anonymous_memory_bytes", "Resident memory that is not of files.")
        self._descriptors = registry.gauge("process_open_fds", "Open descriptors.")
        self._cpu = registry.gauge("process_cpu_seconds_total", "Processor time.", kind="counter")
        registry.on_refresh(self._refresh)

    def _refresh(self) -> None:
        """Read /proc. Takes some tens of microseconds."""
        resident, shared = (int(word) for word in Path("/proc/self/statm").read_text().split()[1:3])
        self._memory.set(resident * PAGE_BYTES)
        self._private.set((resident - shared) * PAGE_BYTES)
        self._descriptors.set(sum(1 for _ in os.scandir("/proc/self/fd")))
        self._cpu.set(time.process_time())
