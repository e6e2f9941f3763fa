"""Heartbeats of a worker process."""

import mmap
import struct
import time


class Heartbeat:
    """The time at which a worker last reported that it runs, in memory that it shares with the supervisor."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)

    def beat(self) -> None:
        """Report that this process runs."""
        struct.pack_into("d", self._shared, 0, time.monotonic())

    @property
    def age(self) -> float:
        """Seconds since the last report."""
        return time.monotonic() - float(struct.unpack_from("d", self._shared)[0])
