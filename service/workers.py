"""Several processes that serve one port with one copy of the model in memory; one that dies is replaced."""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from service import memory
from service.errors import SettingError

BACKLOG = 2048
PAUSE = 1.0
"""Seconds before a worker is replaced that did not live even so long."""

STOP = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger("uvicorn.error")

Serve = Callable[[socket.socket], None]


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """Sockets that share a port: the kernel spreads connections over them. Raises SettingError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:  # sockets that share would share with a stranger too
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        return [_shared(family, host, port) for _ in range(count)]
    except OSError as error:
        raise SettingError(
            f"HOST={host!r} PORT={port}: {str(error.strerror).lower()}. Choose another address."
        ) from error


class Supervisor:
    """Forks a worker for each socket, after the model is loaded: its pages are shared until someone writes them."""

    def __init__(self, sockets: list[socket.socket], serve: Serve) -> None:
        self._sockets = sockets
        self._serve = serve
        self._workers: dict[int, tuple[socket.socket, float]] = {}
        self._stopping = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT: then every worker drains and ends."""
        for number in STOP:
            signal.signal(number, self._stop)
        memory.forget_start()  # this process has done nearly all that it ever does
        for listener in self._sockets:
            self._fork(listener)
        while self._workers:
            pid, status = os.wait()
            listener, started = self._workers.pop(pid)
            if not self._stopping:
                log.error("Worker %d ended (%d) and is replaced.", pid, os.waitstatus_to_exitcode(status))
                time.sleep(PAUSE if time.monotonic() - started < PAUSE else 0)
            if not self._stopping:
                self._fork(listener)

    def _fork(self, listener: socket.socket) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP)  # until the worker is known, and has handlers of its own
        pid = os.fork()
        if pid == 0:
            self._work(listener)
        self._workers[pid] = (listener, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)

    def _work(self, listener: socket.socket) -> NoReturn:
        """A worker's whole life."""
        for number in STOP:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)
        try:
            self._serve(listener)
        except Exception:
            log.exception("The worker failed.")
        os._exit(1)  # where it ends by a signal, it does not come here

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._workers:
            os.kill(pid, signal.SIGTERM)


def _shared(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # With its protocol named: asyncio then sends at once, without Nagle's wait of 40 ms for more to send.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)  # who connects before the workers are there waits for them
    return listener
