"""Several worker processes with one copy of the model in memory. A worker that ends or hangs is replaced."""

import ctypes
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from service.process import memory
from service.process.heartbeat import Heartbeat

MIN_RESTART_INTERVAL = 1.0
"""Minimum seconds between two starts of the same worker, so that a crashing one does not restart in a busy loop."""

MIN_LIFE = 10.0
"""Seconds. A worker that ends earlier counts as crashed at its start."""

MAX_CRASHES = 5
"""Crashes in a row, of all workers, after which the supervisor gives up."""

HEARTBEAT_TIMEOUT = 30.0
"""Seconds without a heartbeat after which a worker counts as hanging and is killed."""

CHECK_INTERVAL = 1.0
"""Seconds between two checks of the workers' heartbeats."""

STOP_GRACE = 4.8
"""Seconds after its drain until a worker that stops is killed: more than all periods of its stop in server.py."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
SIGNALS = (*STOP_SIGNALS, signal.SIGCHLD)
PR_SET_PDEATHSIG = 1

log = logging.getLogger("uvicorn.error")

Serve = Callable[[socket.socket, Heartbeat], None]


@dataclass
class Worker:
    """One worker's listener, process and start. pid: 0 while it is not running. started: monotonic seconds."""

    listener: socket.socket
    pid: int = 0
    started: float = float("-inf")
    heartbeat: Heartbeat = field(default_factory=Heartbeat)


class Supervisor:
    """Forks one worker per socket after the model is loaded, so that they share its memory pages."""

    def __init__(self, sockets: list[socket.socket], serve: Serve, stop_timeout: float = STOP_GRACE) -> None:
        """Run `serve` in each worker. Kill a worker that takes longer than `stop_timeout` seconds to stop."""
        self._workers = [Worker(listener) for listener in sockets]
        self._serve = serve
        self._stop_timeout = stop_timeout
        self._stop_deadline: float | None = None
        self._crashes = 0
        self._last_check = time.monotonic()

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then until every worker has drained and ended.

        Exits with status 1 if the workers crash again and again. The signals stay blocked and are received by
        `sigtimedwait`, so none is lost between two steps of the loop.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        memory.drop_clean_file_pages()
        while self._stop_deadline is None or any(worker.pid for worker in self._workers):
            self._start_due_workers()
            received = signal.sigtimedwait(SIGNALS, self._seconds_to_next_step())
            if received is not None and received.si_signo in STOP_SIGNALS:
                self._stop()
            self._reap()
            if self._stop_deadline is None:
                self._kill_hanging_workers()
            else:
                self._kill_overdue_workers()
        if self._crashes >= MAX_CRASHES:
            log.error("The workers ended %d times in a row at their start. See the log above.", self._crashes)
            sys.exit(1)

    def _start_due_workers(self) -> None:
        for worker in self._workers:
            is_due = not worker.pid and time.monotonic() - worker.started >= MIN_RESTART_INTERVAL
            if is_due and self._stop_deadline is None:
                self._fork(worker)

    def _fork(self, worker: Worker) -> None:
        worker.started = time.monotonic()
        worker.heartbeat.beat()
        supervisor = os.getpid()
        try:
            worker.pid = os.fork()
        except OSError as error:  # too many processes, or too little memory
            log.error("A worker cannot be started: %s. Trying again.", error.strerror)  # noqa: TRY400 - it says it all
            if not any(other.pid for other in self._workers):
                self._count_crash(worker)
            return
        if worker.pid == 0:
            self._end_with_parent(supervisor)
            self._run_worker(worker)

    def _end_with_parent(self, parent: int) -> None:
        """Receive SIGTERM when the parent ends, or end now if it already has."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    def _run_worker(self, worker: Worker) -> NoReturn:
        """Serve in the forked process.

        Stop signals stay blocked until the server handles them: connections may wait on the listener already, and they
        would be reset. Copies of the other listeners are closed, because connections would still be queued on them
        after their worker has ended.
        """
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))
        for other in self._workers:
            if other is not worker:
                other.listener.close()
        try:
            self._serve(worker.listener, worker.heartbeat)
        except Exception:
            log.exception("The worker failed.")
        os._exit(1)  # not reached if the server stops on a signal, which it raises again

    def _seconds_to_next_step(self) -> float:
        now = time.monotonic()
        steps = [CHECK_INTERVAL]
        if self._stop_deadline is not None:
            steps.append(self._stop_deadline - now)
        else:
            steps += [worker.started + MIN_RESTART_INTERVAL - now for worker in self._workers if not worker.pid]
        return max(0.0, min(steps))

    def _stop(self) -> None:
        """Forward the stop to the workers, and close the copies of their listeners. A repeated stop changes nothing."""
        self._stop_deadline = self._stop_deadline or time.monotonic() + self._stop_timeout
        for worker in self._workers:
            worker.listener.close()
            if worker.pid:
                os.kill(worker.pid, signal.SIGTERM)

    def _reap(self) -> None:
        """Collect the processes that have ended. As process 1 of a container, that includes orphans of others."""
        workers = {worker.pid: worker for worker in self._workers if worker.pid}
        while workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if worker := workers.pop(pid, None):
                self._on_end(worker, os.waitstatus_to_exitcode(status))

    def _on_end(self, worker: Worker, status: int) -> None:
        """Note that a worker has ended. Unless all are to stop, count a crash and log it."""
        pid, worker.pid = worker.pid, 0
        if self._stop_deadline is not None:
            return
        self._count_crash(worker)
        if self._crashes < MAX_CRASHES:
            log.error("Worker %d ended (%d) and is replaced.", pid, status)
        else:
            log.error("Worker %d ended (%d), the %dth in a row at its start.", pid, status, self._crashes)

    def _count_crash(self, worker: Worker) -> None:
        """Count an end as a crash if the worker has not lived long, and give up after too many."""
        self._crashes = self._crashes + 1 if time.monotonic() - worker.started < MIN_LIFE else 0
        if self._crashes >= MAX_CRASHES:
            self._stop()

    def _kill_hanging_workers(self) -> None:
        """Kill workers without a heartbeat. If this process was paused itself, they get their time anew."""
        now = time.monotonic()
        was_paused = now - self._last_check > CHECK_INTERVAL + HEARTBEAT_TIMEOUT / 2
        self._last_check = now
        for worker in self._workers:
            if was_paused:
                worker.heartbeat.beat()
            elif worker.pid and worker.heartbeat.age > HEARTBEAT_TIMEOUT:
                log.error("Worker %d sent no heartbeat for %g s and is killed.", worker.pid, HEARTBEAT_TIMEOUT)
                os.kill(worker.pid, signal.SIGKILL)
                worker.heartbeat.beat()  # killed once

    def _kill_overdue_workers(self) -> None:
        """Kill workers that have not stopped in time, once a second until they have ended."""
        if self._stop_deadline is None or time.monotonic() < self._stop_deadline:
            return
        for worker in self._workers:
            if worker.pid:
                log.error("Worker %d did not stop in %g s and is killed.", worker.pid, self._stop_timeout)
                os.kill(worker.pid, signal.SIGKILL)
        self._stop_deadline = time.monotonic() + CHECK_INTERVAL
