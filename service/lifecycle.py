"""Whether the service takes pictures now, and the server that says so before it stops."""

import asyncio
import socket
from collections.abc import Collection
from enum import StrEnum

import uvicorn

from service import memory
from service.errors import NotReadyError


class State(StrEnum):
    """The answer of /ready."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Readiness:
    """Shared by the app, which asks it, and the server, which sets it."""

    def __init__(self) -> None:
        self.state = State.STARTING
        self.requests: Collection[object] = ()  # those that have arrived and are not answered yet

    def is_alone(self) -> bool:
        """Whether the request that asks is the only one that there is."""
        return len(self.requests) == 1

    def check(self) -> None:
        """Raise NotReadyError unless the service is ready."""
        if self.state is not State.READY:
            raise NotReadyError(f"The service is {self.state}. Try again in a moment.")


class Server(uvicorn.Server):
    """uvicorn, which stops listening at once on SIGTERM; here /ready says no first, for `drain_seconds`.

    A load balancer has that time to send its requests elsewhere. Requests in flight are finished.
    """

    def __init__(self, config: uvicorn.Config, readiness: Readiness, drain_seconds: float) -> None:
        super().__init__(config)
        self._readiness = readiness
        readiness.requests = self.server_state.tasks
        self._drain_seconds = drain_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; all code that only a start needs has then run."""
        await super().startup(sockets)
        memory.forget_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        self._readiness.state = State.DRAINING
        await asyncio.sleep(self._drain_seconds)
        await super().shutdown(sockets)
