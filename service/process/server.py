"""The uvicorn server: its configuration, its start-up and its shutdown."""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from service.inference.classifier import Classifier
from service.metrics.process_metrics import ProcessMetrics
from service.metrics.registry import Registry
from service.process import limits, memory
from service.process.connection import ConnectionLimits
from service.process.line_writer import LineWriter
from service.process.listeners import MAX_ACCEPTS, lengthen_backlog, limit_unsent, stop_connections
from service.process.log_config import log_config
from service.process.log_limit import limit_repeats
from service.process.overload import Overload, declare_overload
from service.process.protocol import HttpProtocol
from service.process.start_queue import StartQueue
from service.settings import Settings
from service.web.access_log import AccessLog
from service.web.app import create_app
from service.web.readiness import State
from service.web.server_state import ServerState

log = logging.getLogger("uvicorn.error")

TICK_SECONDS = 1
"""Interval at which free heap is released and the worker reports that it is alive."""

ACCEPT_GRACE = 0.5
"""Seconds between the last new connection and the end of listening, in which its request arrives and is answered."""

FLUSH_SECONDS = 0.5
"""Seconds that writing the rest of the access log may take at the end."""

ACCESS_LOG_DESCRIPTOR = 1  # standard output

FINISH_SECONDS = 3.2
"""Seconds that requests in flight may take after the drain. Those that take longer are cancelled."""

CANCEL_SECONDS = 0.4
"""Seconds in which the clients of cancelled requests receive their responses."""


class Server(uvicorn.Server):
    """Serves the app until SIGTERM or SIGINT, then drains.

    uvicorn itself stops listening at once. Here /ready responds with 503 first, so that a load balancer can send its
    requests elsewhere: alone for `SHUTDOWN_DELAY`, then together with new predictions for `DRAIN_SECONDS`. Responses
    close their connections, and requests in flight are finished.
    """

    def __init__(self, settings: Settings, classifier: Classifier, registry: Registry) -> None:
        """Configure the server. It listens when it runs, and calls `on_alive` every TICK_SECONDS."""
        self._access_lines = LineWriter(ACCESS_LOG_DESCRIPTOR)
        is_logged = settings.log_level in ("info", "debug")
        access_log = AccessLog(settings.log_format, self._access_lines.write) if is_logged else None
        self._state = ServerState(registry, access_log)
        ProcessMetrics(registry)
        self._shutdown_delay = settings.shutdown_delay
        self._drain_seconds = settings.drain_seconds
        self.on_alive: Callable[[], None] = lambda: None
        super().__init__(self._config(settings, classifier))
        limit_repeats()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Let /ready respond with 503 from now on, and begin the shutdown with the next tick of the main loop.

        A repeated signal changes nothing. uvicorn itself would abandon the requests in flight at a second SIGINT.
        """
        self._begin_stop()
        if not self.should_exit:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then release the memory that only start-up needed.

        Stop signals that a worker has received since it was forked arrive now.
        """
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                lengthen_backlog(listener)
                limit_unsent(listener)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
        if self.should_exit:  # since before the app called itself ready
            self._begin_stop()
        memory.drop_clean_file_pages()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, accept what waits, stop listening, and finish the requests in flight."""
        self._begin_stop()
        for connection in self._connections():
            connection.close_after_response()
        if self._shutdown_delay:
            log.info("/ready responds with 503. Requests are served for SHUTDOWN_DELAY: %g s.", self._shutdown_delay)
        await self._wait(self._shutdown_delay)
        self._state.readiness.state = State.DRAINING
        log.info("New predictions get 503 for DRAIN_SECONDS: %g s. Then the service stops.", self._drain_seconds)
        await self._wait(self._drain_seconds)
        for server in self.servers:
            for listener in server.sockets:
                stop_connections(listener)
        await asyncio.sleep(ACCEPT_GRACE)
        await super().shutdown(sockets)
        await self._wait_for_connections(CANCEL_SECONDS / 2)
        for connection in self._connections():
            connection.end_running()
        await self._wait_for_connections(CANCEL_SECONDS / 2)
        self._access_lines.flush(FLUSH_SECONDS)

    def _begin_stop(self) -> None:
        """Let /ready respond with 503 from now on. Accept images until the end of SHUTDOWN_DELAY."""
        if not self._state.readiness.is_ending:
            self._state.readiness.state = State.STOPPING if self._shutdown_delay else State.DRAINING

    async def _wait_for_connections(self, seconds: float) -> None:
        """Wait until all connections are closed, for at most `seconds`."""
        end = time.monotonic() + seconds
        while self.server_state.connections and time.monotonic() < end:
            await asyncio.sleep(0.02)

    def _connections(self) -> list[HttpProtocol]:
        return [cast(HttpProtocol, connection) for connection in self.server_state.connections]

    def _config(self, settings: Settings, classifier: Classifier) -> uvicorn.Config:
        connection_limits = ConnectionLimits(
            min(settings.max_connections, limits.raise_descriptor_limit() - limits.RESERVED_DESCRIPTORS),
            settings.header_timeout,
        )
        overload = Overload(settings.max_in_flight)
        declare_overload(self._state.registry, overload)
        protocol = partial(
            HttpProtocol, state=self._state, overload=overload, starts=StartQueue(), limits=connection_limits
        )
        return uvicorn.Config(
            create_app(settings, classifier, self._state),
            host=settings.host,
            port=settings.port,
            http=protocol,  # type: ignore[arg-type]  # uvicorn only calls it
            log_level=settings.log_level,
            log_config=log_config(settings.log_format, settings.log_level),
            backlog=MAX_ACCEPTS,
            access_log=False,  # RequestRecorder logs requests
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=FINISH_SECONDS,  # type: ignore[arg-type]  # uvicorn only passes it to asyncio
            callback_notify=self._tick,
            timeout_notify=TICK_SECONDS,
        )

    async def _wait(self, seconds: float) -> None:
        """Wait, and tick meanwhile as the main loop does."""
        end = time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            await asyncio.sleep(min(remaining, TICK_SECONDS))
            await self._tick()

    async def _tick(self) -> None:
        memory.collect_garbage()
        self._state.registry.refresh()
        self.on_alive()
