"""Run the requests of a connection: counted, abandoned when their client has gone, shed under overload."""

import asyncio
from functools import partial
from typing import Any

from service.process.connection import LimitedConnection
from service.process.linger import MAX_DROP_SECONDS
from service.process.overload import METHOD, Overload, is_ordinary_post, shed_response
from service.process.rejections import STOPPED, Rejection, respond_stopped
from service.process.start_queue import StartQueue
from service.web.server_state import ServerState


class RequestRunner(LimitedConnection):
    """Starts and ends the requests of a connection, one at a time."""

    def __init__(self, *args: Any, state: ServerState, overload: Overload, starts: StartQueue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_flight = state.in_flight
        self._readiness = state.readiness
        self._recorder = state.recorder
        self._overload = overload
        self._starts = starts
        self._task: asyncio.Task[Any] | None = None
        self._counted: set[Any] = set()  # cycles that count as small requests in flight
        self._has_large_body = False  # the newest request
        self._is_shed = False  # the request that arrives is answered already
        self._may_read_on = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the work for a client that has disconnected."""
        super().connection_lost(exc)
        self._abandon_running()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._in_flight.begin()
        self._running = cycle
        self._count_whole(cycle)
        start = partial(super()._start_asgi_task, cycle, partial(self._run, cycle, app))
        if cycle.scope["method"] == "POST":
            self._starts.add(start)
        else:
            start()

    def _count_whole(self, cycle: Any) -> None:
        """Count a small request that runs once its body has arrived, so that slow senders do not use up the limit."""
        is_small = not self._has_large_body and cycle.scope["method"] == "POST"
        if is_small and cycle is self._running and not cycle.more_body:
            self._counted.add(cycle)
            self._overload.begin()

    async def _run(self, cycle: Any, app: Any, scope: Any, receive: Any, send: Any) -> None:
        """Run the app for one request, until it has responded or its client has gone."""
        self._task = asyncio.current_task()
        try:
            if not cycle.disconnected:
                await app(scope, receive, send)
        except asyncio.CancelledError:
            if not cycle.disconnected and not cycle.response_started:
                await respond_stopped(scope, receive, send)
        finally:
            if self._running is cycle:
                self._running = self._task = None
            self._in_flight.end()
            if cycle in self._counted:
                self._counted.remove(cycle)
                self._overload.end()

    def on_response_complete(self) -> None:
        """Start the queued request, or wait for the next one, or for the rest of the body."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._start_timer(MAX_DROP_SECONDS, self.transport.close)

    def _abandon_running(self) -> None:
        """Cancel the request that is being answered, without a response."""
        if self._running is None:
            return
        self._running.disconnected = True
        if self._task is not None:
            self._task.cancel()
        self._running = self._task = None

    def _drop_newest(self) -> None:
        """Drop the newest request, whose body is malformed."""
        if self.pipeline:
            self.pipeline.clear()
        else:
            self._abandon_running()

    def end_running(self) -> None:
        """Respond with 503 and close, if the work for a request goes on although it has been cancelled."""
        if self._running is not None and not self._running.response_started and not self.transport.is_closing():
            self._write_rejection(STOPPED, self._running.scope["path"])
            self.transport.close()
            self._abandon_running()

    def _write_rejection(self, rejection: Rejection, path: str) -> None:
        request_id = self._recorder.choose_id([])
        self._recorder.record({"client": self.client}, request_id, rejection.status, 0.0)
        self.transport.write(rejection.response(request_id, path))

    # Overload

    def _shed_unparsed(self, data: bytes) -> bool:
        """Answer a whole ordinary request with 503, if it is one. Parsing it would take longer than the rest."""
        is_next = self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)
        if not is_next or self._in_headers or self._is_shed or not self._accepts_images or not is_ordinary_post(data):
            return False
        self._stop_timer()
        self._unset_keepalive_if_required()
        may_read_on = self._overload.count_shed()
        self.transport.write(shed_response(data, len(METHOD), keep_alive=True))
        self._read_on(may_read_on)
        return True

    @property
    def _accepts_images(self) -> bool:
        return self._readiness.accepts_images

    def _can_be_shed(self) -> bool:
        """Return whether a request can be answered before the application sees it: an ordinary, small one."""
        return (
            not self._has_large_body
            and (self.cycle is None or self.cycle.response_complete)
            and self.parser.get_method() == b"POST"
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and self._accepts_images
        )

    def _shed(self) -> None:
        """Answer a request with 503 at once. Its body is dropped as it arrives."""
        self._is_shed = True
        self._may_read_on = self._overload.count_shed()
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        self.transport.write(shed_response(self.url, keep_alive=keep_alive))
        if not keep_alive:
            self.transport.close()

    def _end_shed(self) -> None:
        self._is_shed = False
        self._stop_timer()
        if not self.transport.is_closing():
            self._read_on(self._may_read_on)

    def _read_on(self, may_read_on: bool) -> None:
        """Read the next request, or pause."""
        if may_read_on:
            self._start_keep_alive()
        elif not self.flow.read_paused:  # it is paused after the first of several that came together
            self.flow.pause_reading()
            self._overload.pause(self)

    def read_again(self) -> None:
        """Read the connection again after its last request was shed. It may stay idle from now on."""
        if not self.transport.is_closing():
            self.flow.resume_reading()
            self._start_keep_alive()
