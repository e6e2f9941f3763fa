"""Start few requests per iteration of the event loop, so that status requests wait for few others."""

import asyncio
from collections import deque
from collections.abc import Callable

MAX_ITERATION_SECONDS = 0.005
"""Iterations of the event loop are kept near this. A status request waits for two of them, or for four if it comes on a
new connection."""

MAX_STARTS = 32
"""Requests that are started per iteration at most."""


class StartQueue:
    """Starts requests in the order of their arrival, few of them per iteration of the event loop.

    An iteration runs whatever is ready. Without a limit, the requests of hundreds of connections become ready together,
    and a status request that arrives meanwhile waits for all of them. The limit follows the time that iterations take,
    because a request costs a tenth of a millisecond to several, depending on its image and on the processor.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._limit = MAX_STARTS
        self._started = 0  # in this iteration
        self._first_start = 0.0  # when, in the loop's time

    def add(self, start: Callable[[], None]) -> None:
        """Call `start` now, or in a later iteration if this one has started enough."""
        if self._started < self._limit and not self._waiting:
            self._start(start)
        else:
            self._waiting.append(start)

    def _start(self, start: Callable[[], None]) -> None:
        if self._started == 0:
            loop = asyncio.get_running_loop()
            self._first_start = loop.time()
            loop.call_soon(self._begin_iteration, loop)
        self._started += 1
        start()

    def _begin_iteration(self, loop: asyncio.AbstractEventLoop) -> None:
        is_slow = loop.time() - self._first_start > MAX_ITERATION_SECONDS
        self._limit = max(self._limit - 1, 1) if is_slow else min(self._limit + 1, MAX_STARTS)
        self._started = 0
        for _ in range(min(self._limit, len(self._waiting))):
            self._start(self._waiting.popleft())
