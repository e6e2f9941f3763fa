"""Signs of life of a worker process."""

import mmap
import struct
import time


class Heartbeat:
    """The time of a worker's last sign of life, in memory that it shares with the supervisor."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)

    def beat(self) -> None:
        """Give a sign of life."""
        struct.pack_into("d", self._shared, 0, time.monotonic())

    @property
    def age(self) -> float:
        """Seconds since the last sign of life."""
        return time.monotonic() - float(struct.unpack_from("d", self._shared)[0])
