"""The supervisor stops, restarts and reaps its workers within the times that it promises."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.process.workers import MAX_CRASHES, MIN_RESTART_INTERVAL
from tests.conftest import ROOT
from tests.service.process.running_service import TIMEOUT, children, stop, wait_until

PROGRAM = """
import os, signal, sys, time
from service.process import workers
from service.process.listeners import listen

def serve(listener, heartbeat):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, workers.STOP_SIGNALS)  # as the server does once it handles them
    print("started", flush=True)
    {serve}

{prepare}
workers.Supervisor(listen("127.0.0.1", 0, 1), serve, stop_timeout={stop_timeout}).run()
"""


def has_ended(pid: int) -> bool:
    """Return whether a process has ended, although nobody has collected its status."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


class Supervised:
    """A supervisor of one worker, in a process of its own, and what both have printed."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log

    def log(self) -> str:
        return self._log.read_text()

    def starts(self) -> int:
        return self.log().count("started\n")

    def wait_for_worker(self) -> int:
        """Wait until the worker has started, and return its process."""
        wait_until(lambda: self.starts() == 1)
        (worker,) = children(self.process.pid)
        return worker

    def terminate(self) -> float:
        """Send SIGTERM, wait for the end and return the seconds that it took."""
        sent = time.monotonic()
        self.process.terminate()
        assert self.process.wait(TIMEOUT) == 0
        return time.monotonic() - sent


@contextmanager
def supervised(folder: Path, serve: str, prepare: str = "", stop_timeout: float = 30.0) -> Iterator[Supervised]:
    """Run a supervisor whose worker runs these statements, until the block ends."""
    program = PROGRAM.format(serve=serve, prepare=prepare, stop_timeout=stop_timeout)
    log = folder / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdout=stream, stderr=stream, text=True, start_new_session=True
        )
    try:
        yield Supervised(process, log)
    finally:
        stop(process)


IGNORE_SIGTERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ignoring', flush=True); time.sleep(600)"


def test_worker_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Kill a worker that does not stop within `stop_timeout`, log it, and exit with 0."""
    with supervised(tmp_path, IGNORE_SIGTERM, stop_timeout=0.5) as supervisor:
        worker = supervisor.wait_for_worker()
        wait_until(lambda: "ignoring" in supervisor.log())
        assert 0.5 <= supervisor.terminate() < 3
    assert f"Worker {worker} did not stop in 0.5 s and is killed." in supervisor.log()
    assert not Path(f"/proc/{worker}").exists()


def test_second_sigterm_does_not_extend_the_stop_timeout(tmp_path: Path) -> None:
    """Kill a worker `stop_timeout` after the first SIGTERM, however many follow."""
    with supervised(tmp_path, IGNORE_SIGTERM, stop_timeout=1.0) as supervisor:
        supervisor.wait_for_worker()
        wait_until(lambda: "ignoring" in supervisor.log())
        sent = time.monotonic()
        while supervisor.process.poll() is None:
            assert time.monotonic() - sent < 4
            supervisor.process.terminate()
            time.sleep(0.1)
    assert supervisor.process.returncode == 0


def test_crashing_worker_is_restarted_once_per_interval(tmp_path: Path) -> None:
    """Log each crash, and start the worker again no sooner than MIN_RESTART_INTERVAL after its last start."""
    with supervised(tmp_path, "raise RuntimeError('crash')") as supervisor:
        wait_until(lambda: supervisor.starts() >= 1)
        first = time.monotonic()
        wait_until(lambda: supervisor.starts() >= 3)
        assert time.monotonic() - first > 2 * MIN_RESTART_INTERVAL - 0.2
    assert "RuntimeError: crash" in supervisor.log()
    assert "ended (1) and is replaced." in supervisor.log()


def test_sigterm_during_the_wait_for_a_restart_ends_at_once(tmp_path: Path) -> None:
    """Exit without waiting for the restart of a crashed worker."""
    with supervised(tmp_path, "os._exit(7)", prepare="workers.MIN_RESTART_INTERVAL = 600.0") as supervisor:
        wait_until(lambda: "ended (7) and is replaced." in supervisor.log())
        assert supervisor.terminate() < 3
    assert supervisor.starts() == 1


def test_worker_that_ran_longer_is_replaced_at_once(tmp_path: Path) -> None:
    """Replace a worker without a wait if it ran for longer than MIN_RESTART_INTERVAL."""
    with supervised(tmp_path, "time.sleep(600)") as supervisor:
        worker = supervisor.wait_for_worker()
        time.sleep(MIN_RESTART_INTERVAL)
        os.kill(worker, signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: supervisor.starts() == 2)
        assert time.monotonic() - killed < MIN_RESTART_INTERVAL / 2
    assert f"Worker {worker} ended (-9) and is replaced." in supervisor.log()


def test_other_child_is_reaped(tmp_path: Path) -> None:
    """Reap a child process that is not a worker, as process 1 of a container must, and log nothing."""
    fork = "child = os.fork()\nif not child: time.sleep(0.3); os._exit(3)\nprint('child', child, flush=True)"
    with supervised(tmp_path, "time.sleep(600)", prepare=fork) as supervisor:
        wait_until(lambda: supervisor.starts() == 1)
        child = int(supervisor.log().partition("child ")[2].split()[0])
        wait_until(lambda: not Path(f"/proc/{child}").exists())
        assert len(children(supervisor.process.pid)) == 1
        supervisor.terminate()
    assert "ended" not in supervisor.log()
    assert supervisor.starts() == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGQUIT])
def test_worker_ends_with_its_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    """End the worker when a signal ends the supervisor, which cannot forward it."""
    with supervised(tmp_path, "time.sleep(600)") as supervisor:
        worker = supervisor.wait_for_worker()
        supervisor.process.send_signal(number)
        wait_until(lambda: not Path(f"/proc/{worker}").exists() or has_ended(worker))


QUICK_CHECKS = "workers.HEARTBEAT_TIMEOUT = 3.0; workers.CHECK_INTERVAL = 0.2"
PAUSE = 3.5
"""Longer than the time-out, which a new worker on a busy machine must meet, too."""

BEAT = "while True: heartbeat.beat(); time.sleep(0.1)"


def test_hanging_worker_is_replaced(tmp_path: Path) -> None:
    """Kill and replace a worker that sends no heartbeat for HEARTBEAT_TIMEOUT, and log it."""
    with supervised(tmp_path, BEAT, prepare=QUICK_CHECKS) as supervisor:
        worker = supervisor.wait_for_worker()
        time.sleep(PAUSE)
        assert supervisor.starts() == 1
        os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: supervisor.starts() == 2)
        time.sleep(PAUSE)
        supervisor.terminate()
    assert supervisor.log().count(f"Worker {worker} sent no heartbeat for 3 s and is killed.") == 1
    assert supervisor.starts() == 2


def test_paused_container_keeps_its_workers(tmp_path: Path) -> None:
    """Kill no worker after supervisor and worker were paused together for longer than HEARTBEAT_TIMEOUT."""
    with supervised(tmp_path, BEAT, prepare=QUICK_CHECKS) as supervisor:
        supervisor.wait_for_worker()
        os.killpg(supervisor.process.pid, signal.SIGSTOP)
        time.sleep(PAUSE)
        os.kill(supervisor.process.pid, signal.SIGCONT)  # the supervisor first, so that it could see an old heartbeat
        time.sleep(0.5)
        os.killpg(supervisor.process.pid, signal.SIGCONT)
        time.sleep(0.5)
        supervisor.terminate()
    assert "heartbeat" not in supervisor.log()


def test_crash_loop_ends_with_status_1(tmp_path: Path) -> None:
    """Exit with 1 and one sentence after MAX_CRASHES workers have ended at their start."""
    with supervised(tmp_path, "os._exit(7)", prepare="workers.MIN_RESTART_INTERVAL = 0.1") as supervisor:
        assert supervisor.process.wait(TIMEOUT) == 1
    assert supervisor.starts() == MAX_CRASHES
    assert supervisor.log().endswith("The workers ended 5 times in a row at their start. See the log above.\n")
    assert "ended (7), the 5th in a row at its start." in supervisor.log()


def test_crash_after_a_long_life_is_not_counted(tmp_path: Path) -> None:
    """Keep replacing workers that have lived for longer than MIN_LIFE."""
    quick = "workers.MIN_RESTART_INTERVAL = workers.MIN_LIFE = 0.05"
    with supervised(tmp_path, "time.sleep(0.06); os._exit(7)", prepare=quick) as supervisor:
        wait_until(lambda: supervisor.starts() > 2 * MAX_CRASHES)
        supervisor.terminate()


NO_FORK = """
fork, failures = os.fork, [1] * {failures}

def fail_first():
    if failures:
        failures.pop()
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return fork()

os.fork = fail_first
workers.MIN_RESTART_INTERVAL = 0.1
"""


def test_worker_that_cannot_be_forked_is_started_later(tmp_path: Path) -> None:
    """Log that the system has no room for a worker, and try again."""
    with supervised(tmp_path, "time.sleep(600)", prepare=NO_FORK.format(failures=2)) as supervisor:
        wait_until(lambda: supervisor.starts() == 1)
        supervisor.terminate()
    message = "A worker cannot be started: Resource temporarily unavailable. Trying again."
    assert supervisor.log().count(message) == 2
    assert "Traceback" not in supervisor.log()


def test_no_worker_that_can_be_forked_ends_with_status_1(tmp_path: Path) -> None:
    """Exit with 1 after MAX_CRASHES attempts to start the only worker."""
    with supervised(tmp_path, "time.sleep(600)", prepare=NO_FORK.format(failures=100)) as supervisor:
        assert supervisor.process.wait(TIMEOUT) == 1
    assert supervisor.log().count("A worker cannot be started") == MAX_CRASHES
    assert "Traceback" not in supervisor.log()
