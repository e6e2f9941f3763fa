"""Reservations never exceed the pool and are granted in order. Nothing leaks, whoever gives up or is cancelled."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from service.errors import OverloadedError
from service.inference.memory_pool import MemoryPool
from service.inference.stages import StageMetrics
from service.metrics.registry import Registry

CAPACITY = 100


def run(test: Callable[[MemoryPool], Coroutine[Any, Any, None]], timeout: float = 30.0) -> None:
    """Run a test in a new event loop, with a pool of 100 bytes that must be empty at the end."""

    async def with_pool() -> None:
        pool = MemoryPool(CAPACITY, timeout)
        async with asyncio.timeout(30):
            await test(pool)
        assert (pool.used, pool.waiting) == (0, 0)

    asyncio.run(with_pool())


async def queue(pool: MemoryPool, *reservations: tuple[int, str]) -> list["asyncio.Task[None]"]:
    """Start to acquire several reservations of a size for a client, in order."""
    tasks = [asyncio.ensure_future(pool.acquire(size, client)) for size, client in reservations]
    await settle()
    return tasks


async def settle() -> None:
    """Run everything that can run now."""
    for _ in range(5):
        await asyncio.sleep(0)


def done(tasks: list["asyncio.Task[None]"]) -> list[bool]:
    return [task.done() for task in tasks]


def test_what_fits_is_reserved_at_once() -> None:
    """Reserve up to the whole capacity without giving control back to the event loop."""

    async def test(pool: MemoryPool) -> None:
        for size in (60, 40):
            with pytest.raises(StopIteration):
                pool.acquire(size).send(None)
        assert pool.used == CAPACITY
        pool.release(60)
        pool.release(40)

    run(test)


def test_block_releases_its_reservation() -> None:
    """Hold a reservation within a block, and release it after an exception too."""

    async def fail(pool: MemoryPool) -> None:
        async with pool.reserve(70):
            assert pool.used == 70
            raise ZeroDivisionError

    async def test(pool: MemoryPool) -> None:
        with pytest.raises(ZeroDivisionError):
            await fail(pool)
        assert pool.used == 0

    run(test)


def test_reservations_are_granted_in_order() -> None:
    """Let a small reservation wait behind a large one that came first, even if the small one would fit."""

    async def test(pool: MemoryPool) -> None:
        await pool.acquire(60)
        tasks = await queue(pool, (50, ""), (10, ""), (40, ""), (1, ""))
        assert done(tasks) == [False] * 4
        pool.release(60)
        await settle()
        assert done(tasks) == [True, True, True, False]
        pool.release(50)
        await settle()
        assert done(tasks) == [True] * 4
        for size in (10, 40, 1):
            pool.release(size)

    run(test)


def test_reservation_expires() -> None:
    """Raise OverloadedError after the timeout, count it, and let the next reservation through."""

    async def test(pool: MemoryPool) -> None:
        await pool.acquire(60)
        with pytest.raises(OverloadedError, match=r"no memory became free within 0.05 s\. Try again in a moment\."):
            await pool.acquire(50)
        assert (pool.used, pool.waiting, pool.expired) == (60, 0, 1)
        await pool.acquire(40)
        pool.release(60)
        pool.release(40)

    run(test, timeout=0.05)


def test_reservation_that_stops_waiting_lets_the_next_through() -> None:
    """Grant what waits behind a reservation that is cancelled."""

    async def test(pool: MemoryPool) -> None:
        await pool.acquire(60)
        large, small = await queue(pool, (50, ""), (40, ""))
        large.cancel()
        await settle()
        assert large.cancelled()
        assert (small.done(), pool.used) == (True, CAPACITY)
        pool.release(60)
        pool.release(40)

    run(test)


def test_reservation_that_is_cancelled_as_it_is_granted_is_returned() -> None:
    """Return a reservation whose request is cancelled before it runs again, and grant the next one."""

    async def test(pool: MemoryPool) -> None:
        await pool.acquire(CAPACITY)
        granted, waiting = await queue(pool, (80, ""), (30, ""))
        pool.release(CAPACITY)
        assert pool.used == 80
        granted.cancel()
        await settle()
        assert granted.cancelled()
        assert (waiting.done(), pool.used) == (True, 30)
        pool.release(30)

    run(test)


def test_no_client_holds_more_than_half_while_another_waits() -> None:
    """Pass over a client that would exceed half of the pool, and serve the others first."""

    async def test(pool: MemoryPool) -> None:
        await pool.acquire(40, "greedy")
        await pool.acquire(60, "other")
        tasks = await queue(pool, (20, "greedy"), (20, "modest"), (20, "greedy"), (30, "modest"))
        pool.release(60, "other")
        await settle()
        assert done(tasks) == [False, True, False, True]
        assert pool.used == 90
        pool.release(30, "modest")
        await settle()
        assert done(tasks) == [True, True, True, True]
        for size, client in ((40, "greedy"), (20, "greedy"), (20, "greedy"), (20, "modest")):
            pool.release(size, client)

    run(test)


def test_client_that_is_passed_over_does_not_block_others() -> None:
    """Grant what fits to another client, even if the first in line would exceed its share and does not fit."""

    async def test(pool: MemoryPool) -> None:
        await pool.acquire(60, "greedy")
        large, small = await queue(pool, (50, "greedy"), (30, "modest"))
        assert done([large, small]) == [False, True]
        pool.release(60, "greedy")
        await settle()
        assert large.done()
        pool.release(50, "greedy")
        pool.release(30, "modest")

    run(test)


def test_client_alone_may_hold_everything() -> None:
    """Grant a client the whole pool if nobody else waits, and more than half of it if it holds nothing."""

    async def test(pool: MemoryPool) -> None:
        await pool.acquire(60, "greedy")
        await pool.acquire(40, "greedy")
        large, small = await queue(pool, (90, "modest"), (10, "other"))
        pool.release(60, "greedy")
        pool.release(40, "greedy")
        await settle()
        assert done([large, small]) == [True, True]
        pool.release(90, "modest")
        pool.release(10, "other")

    run(test)


class Client:
    """Reserves and releases at random, and sometimes gives up."""

    def __init__(self, name: str, pool: MemoryPool, held: "Counter[str]", seed: int) -> None:
        self._name, self._pool, self._held = name, pool, held
        self._rng = np.random.default_rng(seed)

    async def live(self) -> None:
        """Make 40 reservations, of which some are cancelled while they wait or as they are granted."""
        for _ in range(40):
            size = int(self._rng.integers(0, CAPACITY + 1) // self._rng.integers(1, 5))
            task = asyncio.ensure_future(self._hold(size))
            await asyncio.sleep(0)
            if self._rng.random() < 0.3:
                await self._sleep()
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _hold(self, size: int) -> None:
        async with self._pool.reserve(size, self._name):
            self._held[self._name] += size
            try:
                await self._sleep()
            finally:
                self._held[self._name] -= size

    async def _sleep(self) -> None:
        for _ in range(self._rng.integers(0, 4)):
            await asyncio.sleep(0)


@pytest.mark.parametrize("timeout", [0.0, 0.0005, 30.0])
@pytest.mark.parametrize("seed", range(10))
def test_nothing_leaks_from_random_clients(seed: int, timeout: float) -> None:
    """Keep the sum of reservations within the capacity at every step, and empty the pool in the end."""

    async def test(pool: MemoryPool) -> None:
        held: Counter[str] = Counter()
        names = [f"client {number % 4}" for number in range(12)]
        clients = [Client(name, pool, held, 100 * seed + number) for number, name in enumerate(names)]
        tasks = [asyncio.ensure_future(client.live()) for client in clients]
        while not all(task.done() for task in tasks):
            assert held.total() <= pool.used <= CAPACITY
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        assert held.total() == 0

    run(test, timeout)


def test_every_wait_is_timed() -> None:
    """Time reservations that are granted at once, and those that expire."""

    async def wait() -> str:
        registry = Registry()
        pool = MemoryPool(CAPACITY, 0.01, StageMetrics(registry))
        async with pool.reserve(CAPACITY):
            with pytest.raises(OverloadedError):
                await pool.acquire(1)
        return registry.expose()

    assert 'digit_service_stage_seconds_count{stage="memory"} 2' in asyncio.run(wait())
