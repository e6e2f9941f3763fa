"""The uvicorn server: its configuration, its start-up and its shutdown."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import cast

import uvicorn

from service.inference.classifier import Classifier
from service.inference.in_flight import InFlight
from service.process import limits, memory
from service.process.listeners import stop_connections
from service.process.log_limit import limit_repeats
from service.process.protocol import ConnectionLimits, HttpProtocol
from service.settings import Settings
from service.web.app import create_app
from service.web.readiness import Readiness, State

TICK_SECONDS = 1
"""Interval at which free heap is released and the worker reports that it is alive."""

ACCEPT_GRACE = 0.5
"""Seconds between the last new connection and the end of listening, in which its request arrives and is answered."""

FINISH_SECONDS = 3.5
"""Seconds that requests in flight may take after the drain. Those that take longer are cancelled."""


class Server(uvicorn.Server):
    """Serves the app until SIGTERM or SIGINT, then drains.

    uvicorn itself stops listening at once. Here /ready turns red first, for `DRAIN_SECONDS`, so that a load balancer
    can send its requests elsewhere. Responses then close their connections, and requests in flight are finished.
    """

    def __init__(self, settings: Settings, classifier: Classifier) -> None:
        """Configure the server. It listens when it runs, and calls `on_alive` every TICK_SECONDS."""
        self._readiness = Readiness()
        self._drain_seconds = settings.drain_seconds
        self.on_alive: Callable[[], None] = lambda: None
        super().__init__(self._config(settings, classifier))
        limit_repeats()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Turn /ready red at once, and begin the shutdown with the next tick of the main loop."""
        self._readiness.state = State.DRAINING
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then release the memory that only start-up needed."""
        await super().startup(sockets)
        memory.drop_clean_file_pages()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, accept what waits, stop listening, and finish the requests in flight."""
        self._readiness.state = State.DRAINING
        for connection in self.server_state.connections:
            cast(HttpProtocol, connection).close_after_response()
        await asyncio.sleep(self._drain_seconds)
        for server in self.servers:
            for listener in server.sockets:
                stop_connections(listener)
        await asyncio.sleep(ACCEPT_GRACE)
        await super().shutdown(sockets)

    def _config(self, settings: Settings, classifier: Classifier) -> uvicorn.Config:
        in_flight = InFlight()
        connection_limits = ConnectionLimits(
            min(settings.max_connections, limits.max_descriptors() - limits.RESERVED_DESCRIPTORS),
            settings.header_timeout,
        )
        protocol = partial(HttpProtocol, in_flight=in_flight, readiness=self._readiness, limits=connection_limits)
        return uvicorn.Config(
            create_app(settings, classifier, self._readiness, in_flight),
            host=settings.host,
            port=settings.port,
            http=protocol,  # type: ignore[arg-type]  # uvicorn only calls it
            log_level=settings.log_level,
            access_log=settings.log_level == "debug",  # one line per request costs more than its prediction
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=FINISH_SECONDS,  # type: ignore[arg-type]  # uvicorn only passes it to asyncio
            callback_notify=self._tick,
            timeout_notify=TICK_SECONDS,
        )

    async def _tick(self) -> None:
        memory.collect_garbage()
        self.on_alive()
