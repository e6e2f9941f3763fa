"""Few requests start per iteration of the event loop, in the order of their arrival."""

import asyncio
import time
from collections.abc import Callable

from service.process.start_queue import MAX_ITERATION_SECONDS, MAX_STARTS, StartQueue


def starts_by_iteration(requests: int, start: Callable[[], None]) -> list[int]:
    """Add requests in one iteration, and count how many start in each until all have started."""

    async def run() -> list[int]:
        queue, started, counts = StartQueue(), [], [0]

        def start_next(number: int) -> None:
            started.append(number)
            counts[-1] += 1
            start()

        for number in range(requests):
            queue.add(lambda number=number: start_next(number))  # type: ignore[misc]
        while len(started) < requests:
            counts.append(0)
            await asyncio.sleep(0)
        assert started == list(range(requests))
        return [count for count in counts if count]

    return asyncio.run(run())


def test_a_lone_request_starts_at_once() -> None:
    """Does not wait for the next iteration."""
    assert starts_by_iteration(1, lambda: None) == [1]


def test_fast_requests_start_in_large_groups() -> None:
    """Start MAX_STARTS per iteration while iterations are short."""
    assert starts_by_iteration(3 * MAX_STARTS, lambda: None) == [MAX_STARTS] * 3


def test_slow_requests_start_in_ever_smaller_groups() -> None:
    """Start fewer with each iteration that takes too long, down to one."""
    counts = starts_by_iteration(600, lambda: time.sleep(MAX_ITERATION_SECONDS / 8))
    assert counts[0] == MAX_STARTS
    assert counts[:20] == sorted(counts[:20], reverse=True)
    assert max(counts[-5:]) <= 10
    assert min(counts) >= 1


def test_a_request_does_not_overtake_those_that_wait() -> None:
    """Queue a request that arrives in a later iteration behind the others."""

    async def run() -> list[int]:
        queue, started = StartQueue(), []
        for number in range(2 * MAX_STARTS + 1):
            queue.add(lambda number=number: started.append(number))  # type: ignore[misc]
        await asyncio.sleep(0)
        queue.add(lambda: started.append(1_000))
        for _ in range(4):
            await asyncio.sleep(0)
        return started

    assert asyncio.run(run()) == [*range(2 * MAX_STARTS + 1), 1_000]
