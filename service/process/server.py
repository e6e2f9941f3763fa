"""The uvicorn server: its configuration, its protocol and its shutdown."""

import asyncio
import socket
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.inference.classifier import Classifier
from service.inference.in_flight import InFlight
from service.process import memory
from service.settings import Settings
from service.web.app import create_app
from service.web.readiness import Readiness, State

TRIM_INTERVAL = 1  # seconds


class Server(uvicorn.Server):
    """Serves the app until SIGTERM or SIGINT, then drains.

    uvicorn itself stops listening at once. Here /ready turns red first, for `DRAIN_SECONDS`, so that a load balancer
    can send its requests elsewhere. Requests in flight are finished.
    """

    def __init__(self, settings: Settings, classifier: Classifier) -> None:
        """Configure the server. It listens when it runs."""
        self._readiness = Readiness()
        self._drain_seconds = settings.drain_seconds
        super().__init__(_config(settings, classifier, self._readiness))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then release the memory that only start-up needed."""
        await super().startup(sockets)
        memory.drop_clean_file_pages()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        self._readiness.state = State.DRAINING
        await asyncio.sleep(self._drain_seconds)
        await super().shutdown(sockets)


class CountingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also counts the requests in flight."""

    def __init__(self, *args: Any, in_flight: InFlight, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_flight = in_flight

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._in_flight.begin()

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self._in_flight.end()

        super()._start_asgi_task(cycle, counted)


def _config(settings: Settings, classifier: Classifier, readiness: Readiness) -> uvicorn.Config:
    in_flight = InFlight()
    return uvicorn.Config(
        create_app(settings, classifier, readiness, in_flight),
        host=settings.host,
        port=settings.port,
        http=partial(CountingProtocol, in_flight=in_flight),  # type: ignore[arg-type]  # uvicorn only calls it
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",  # one line per request costs more than its prediction
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        callback_notify=_release_free_heap,
        timeout_notify=TRIM_INTERVAL,
    )


async def _release_free_heap() -> None:
    memory.release_free_heap()
