"""Several worker processes on one port, with one copy of the model in memory. A worker that ends is replaced."""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from service.errors import SettingError
from service.process import memory

BACKLOG = 2048

MIN_RESTART_INTERVAL = 1.0
"""Minimum seconds between two starts of the same worker, so that a crashing one does not restart in a busy loop."""

STOP_GRACE = 5.0
"""Seconds that a worker may take to stop, after its drain and its last uploads, before it is killed."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
SIGNALS = (*STOP_SIGNALS, signal.SIGCHLD)

log = logging.getLogger("uvicorn.error")

Serve = Callable[[socket.socket], None]


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """Open `count` sockets on one port; the kernel spreads connections over them.

    Raises SettingError if the address is invalid or taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:  # a port that another process shares would be shared with it silently
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        return [_open_listener(family, host, port) for _ in range(count)]
    except OSError as error:
        raise SettingError(
            f"HOST={host!r} PORT={port}: {str(error.strerror).lower()}. Choose another address."
        ) from error


@dataclass
class Worker:
    """One worker's listener, process and start. pid: 0 while it is not running. started: monotonic seconds."""

    listener: socket.socket
    pid: int = 0
    started: float = float("-inf")


class Supervisor:
    """Forks one worker per socket after the model is loaded, so that they share its memory pages."""

    def __init__(self, sockets: list[socket.socket], serve: Serve, stop_timeout: float = STOP_GRACE) -> None:
        """Run `serve` in each worker. Kill a worker that takes longer than `stop_timeout` seconds to stop."""
        self._workers = [Worker(listener) for listener in sockets]
        self._serve = serve
        self._stop_timeout = stop_timeout
        self._stop_deadline: float | None = None

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then until every worker has drained and ended.

        The signals stay blocked and are received by `sigtimedwait`, so none is lost between two steps of the loop.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        memory.drop_clean_file_pages()
        while self._stop_deadline is None or any(worker.pid for worker in self._workers):
            self._start_due_workers()
            received = signal.sigtimedwait(SIGNALS, self._seconds_to_next_step())
            if received is not None and received.si_signo in STOP_SIGNALS:
                self._stop()
            self._reap()
            self._kill_overdue_workers()

    def _start_due_workers(self) -> None:
        if self._stop_deadline is not None:
            return
        for worker in self._workers:
            if not worker.pid and time.monotonic() - worker.started >= MIN_RESTART_INTERVAL:
                self._fork(worker)

    def _fork(self, worker: Worker) -> None:
        worker.started = time.monotonic()
        worker.pid = os.fork()
        if worker.pid == 0:
            self._run_worker(worker.listener)

    def _run_worker(self, listener: socket.socket) -> NoReturn:
        """Serve in the forked process. A stop signal ends it until uvicorn installs its own handlers."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)  # Python's handler of SIGINT would raise KeyboardInterrupt
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        try:
            self._serve(listener)
        except Exception:
            log.exception("The worker failed.")
        os._exit(1)  # not reached if the server stops on a signal, which it raises again

    def _seconds_to_next_step(self) -> float:
        if self._stop_deadline is not None:
            return max(0.0, self._stop_deadline - time.monotonic())
        waiting = [worker.started + MIN_RESTART_INTERVAL for worker in self._workers if not worker.pid]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else 3600.0

    def _stop(self) -> None:
        if self._stop_deadline is None:  # a second signal does not extend it
            self._stop_deadline = time.monotonic() + self._stop_timeout
        for worker in self._workers:
            if worker.pid:
                os.kill(worker.pid, signal.SIGTERM)

    def _reap(self) -> None:
        """Collect the processes that have ended. As process 1 of a container, that includes orphans of others."""
        workers = {worker.pid: worker for worker in self._workers if worker.pid}
        while workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            worker = workers.pop(pid, None)
            if worker is not None:
                worker.pid = 0
                if self._stop_deadline is None:
                    log.error("Worker %d ended (%d) and is replaced.", pid, os.waitstatus_to_exitcode(status))

    def _kill_overdue_workers(self) -> None:
        if self._stop_deadline is None or time.monotonic() < self._stop_deadline:
            return
        for worker in self._workers:
            if worker.pid:
                log.error("Worker %d did not stop in %g s and is killed.", worker.pid, self._stop_timeout)
                os.kill(worker.pid, signal.SIGKILL)
        self._stop_deadline = time.monotonic() + 1.0


def _open_listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY. Otherwise small responses wait 40 ms for Nagle's algorithm.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)  # connections that come before the workers are running wait here
    return listener
