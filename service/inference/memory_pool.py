"""A pool of memory that concurrent requests share."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.errors import OverloadedError
from service.inference.stages import StageMetrics


@dataclass(eq=False)
class Waiter:
    """A reservation that waits until it is granted. size: in bytes. client: whom it is for."""

    size: int
    client: str
    granted: "asyncio.Future[None]"


class MemoryPool:
    """Bytes that requests reserve, first come, first served.

    While reservations of several clients wait, one is passed over if its client holds bytes already and would then hold
    more than half of the pool. A client keeps what it took before others waited, until it releases it. Reservations
    without a client count as those of one client.
    """

    def __init__(self, capacity: int, timeout: float, stages: StageMetrics | None = None) -> None:
        """Let requests hold up to `capacity` bytes at once, and wait for up to `timeout` seconds."""
        self.capacity = capacity
        self.used = 0
        self.expired = 0
        self._timeout = timeout
        self._stages = stages or StageMetrics()
        self._waiters: list[Waiter] = []
        self._held: dict[str, int] = {}  # bytes per client

    @property
    def waiting(self) -> int:
        """The number of reservations that wait."""
        return len(self._waiters)

    @asynccontextmanager
    async def reserve(self, size: int, client: str = "") -> AsyncGenerator[None, None]:
        """Hold `size` bytes within the block. Raises OverloadedError as `acquire` does."""
        await self.acquire(size, client)
        try:
            yield
        finally:
            self.release(size, client)

    async def acquire(self, size: int, client: str = "") -> None:
        """Take `size` bytes, at most `capacity`, until they are released.

        Raises OverloadedError if they do not become free within the timeout.
        """
        begun = time.perf_counter()
        try:
            if self._waiters or self.used + size > self.capacity:
                await self._wait(Waiter(size, client, asyncio.get_running_loop().create_future()))
            else:
                self._take(size, client)
        finally:  # a wait that failed took time, too
            self._stages.observe("memory", time.perf_counter() - begun)

    def release(self, size: int, client: str = "") -> None:
        """Return `size` bytes that were acquired for `client`."""
        self._take(-size, client)
        if self._waiters:
            self._grant()

    async def _wait(self, waiter: Waiter) -> None:
        self._waiters.append(waiter)
        self._grant()  # a waiter of this client may be passed over
        try:
            async with asyncio.timeout(self._timeout):
                await waiter.granted
        except BaseException as error:
            self._withdraw(waiter)
            if not isinstance(error, TimeoutError):
                raise
            self.expired += 1
            raise OverloadedError(
                f"The service is busy: no memory became free within {self._timeout:g} s. Try again in a moment."
            ) from error

    def _withdraw(self, waiter: Waiter) -> None:
        """Remove a waiter, or return what it was granted when it stopped waiting."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        else:
            self._take(-waiter.size, waiter.client)
        self._grant()

    def _grant(self) -> None:
        """Grant waiting reservations in order, up to the first that may be granted and does not fit."""
        have_rivals = len({waiter.client for waiter in self._waiters}) > 1
        for waiter in list(self._waiters):
            if waiter.granted.done() or (have_rivals and self._exceeds_share(waiter)):  # done: it is being withdrawn
                continue
            if self.used + waiter.size > self.capacity:
                return
            self._waiters.remove(waiter)
            self._take(waiter.size, waiter.client)
            waiter.granted.set_result(None)

    def _exceeds_share(self, waiter: Waiter) -> bool:
        held = self._held.get(waiter.client, 0)
        return bool(held) and held + waiter.size > self.capacity / 2

    def _take(self, size: int, client: str) -> None:
        self.used += size
        held = self._held.get(client, 0) + size
        if held:
            self._held[client] = held
        else:
            self._held.pop(client, None)
