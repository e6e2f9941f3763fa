"""Too many connections: close those that wait for their clients."""

import logging
from collections.abc import Collection
from heapq import nsmallest
from typing import Protocol

MIN_SILENCE = 1.0
"""Seconds that a connection may wait for the headers of a request before it must make room for another."""

MIN_STALL = 2.0
"""Seconds that an upload may pause before it must make room for another connection."""

CLOSED_SHARE = 1 / 32
"""Share of the connections that are closed at once, so that a flood of them costs one look at all per dozens."""

log = logging.getLogger("uvicorn.error")


class OpenConnection(Protocol):
    """A connection that may have to make room."""

    @property
    def dispensable_from(self) -> float:
        """The time of the loop from which on the connection must make room."""

    def abort(self) -> None:
        """End the connection without a response."""


class Crowd:
    """Remembers when the next of many connections must make room, so that a flood of others is refused cheaply."""

    def __init__(self) -> None:
        self._next_search = 0.0  # time of the loop

    def make_room(
        self, newest: OpenConnection, connections: Collection[OpenConnection], limit: int, now: float
    ) -> None:
        """Close the connections that have waited longest for their clients, or the newest if none has waited long."""
        dispensable: list[OpenConnection] = []
        if now >= self._next_search:
            oldest = nsmallest(max(1, int(limit * CLOSED_SHARE)), connections, key=lambda one: one.dispensable_from)
            dispensable = [connection for connection in oldest if connection.dispensable_from <= now]
            self._next_search = min(oldest[0].dispensable_from, now + MIN_SILENCE)
        closed = dispensable or [newest]
        for connection in closed:
            connection.abort()
        log.warning("Closed %d connections that waited for their clients: more than %d were open.", len(closed), limit)
