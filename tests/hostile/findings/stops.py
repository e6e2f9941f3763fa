"""Findings 14 to 16, 20, 21 and 24: signals, orphans, and stops under load."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.drain_load import drain
from tests.hostile.findings.observation import Outcome, quiet_service
from tests.service.process.connection import Connection, get
from tests.service.process.running_service import children, wait_until
from tests.service.process.test_lifecycle import is_running
from tests.stop_sweep import Stop, service_as_process_1, sweep

STOP_SECONDS = 5.0
STARTS = 20
KEPT = 28


def stop_at_start(folder: Path) -> Outcome:
    """Stop the service at many moments of its start, with one and two workers."""
    return _judge(sweep(_subfolder(folder, "start"), STARTS, 2.0))


def stop_process_1(folder: Path) -> Outcome:
    """Stop it in its first 0.4 s as process 1."""
    return _judge(sweep(_subfolder(folder, "process 1"), STARTS, 0.4, is_process_1=True))


def _judge(stops: list[Stop]) -> Outcome:
    slowest = max(stop.seconds for stop in stops)
    clean = sum(stop.is_clean for stop in stops)
    return Outcome(
        clean == len(stops) and slowest < STOP_SECONDS,
        f"{clean} of {len(stops)} end with 0, {sum(stop.has_drained for stop in stops)} of them after a server had"
        f" started, the slowest after {slowest:.1f} s",
    )


def reap_orphan(folder: Path) -> Outcome:
    """Let an orphan end while the supervisor is process 1."""
    log = folder / "orphan"
    with service_as_process_1(log, WORKERS="2") as (pid, parent):
        wait_until(lambda: log.read_text().count("startup complete") == 2)
        before = children(pid)
        subprocess.run(["nsenter", "--target", str(pid), "--pid", "sh", "-c", "sleep 0.3 &"], check=True)
        wait_until(lambda: len(children(pid)) == len(before) + 1)
        wait_until(lambda: children(pid) == before)
        os.kill(pid, signal.SIGTERM)
        status = parent.wait(60)
    holds = status == 0 and "Traceback" not in log.read_text()
    return Outcome(holds, f"it is reaped, the workers stay, and SIGTERM ends with {status}")


def keep_alive_at_stop(folder: Path) -> Outcome:
    """Stop two workers, twice, while clients keep their connections."""
    seconds = []
    for run in range(4):
        with quiet_service(folder / f"kept {run}", WORKERS="2") as service, ExitStack() as stack:
            connections = [stack.enter_context(Connection(service.port)) for _ in range(KEPT)]
            for connection in connections:
                connection.ask(get("/health"))
            sent = time.monotonic()
            service.process.terminate()
            stack.enter_context(Connection(service.port))
            service.process.terminate()
            status = service.process.wait(60)
            seconds.append(time.monotonic() - sent)
    return Outcome(status == 0 and max(seconds) < STOP_SECONDS, f"4 stops end within {max(seconds):.1f} s")


def kill_supervisor(folder: Path) -> Outcome:
    """Kill the supervisor: its workers must end."""
    numbers = (signal.SIGKILL, signal.SIGHUP, signal.SIGQUIT)
    alive = sum(_orphan_workers(folder / number.name, number) for number in numbers)
    return Outcome(not alive, f"{alive} workers live on after SIGKILL, SIGHUP and SIGQUIT")


def _orphan_workers(log: Path, number: signal.Signals) -> int:
    """Send a signal to the supervisor of two workers. Returns how many of them still run two seconds later."""
    with quiet_service(log, WORKERS="2") as service:
        wait_until(lambda: service.log.read_text().count("startup complete") == 2)
        workers = children(service.process.pid)
        service.process.send_signal(number)
        time.sleep(2)
        return sum(is_running(worker) for worker in workers)


def stop_under_load(folder: Path) -> Outcome:
    """Stop under load, without a drain and with one of 2 s."""
    total: Counter[str] = Counter()
    lost = []
    for workers, seconds in (("1", "2"), ("2", "0")):
        with quiet_service(folder / f"load {workers}", WORKERS=workers, DRAIN_SECONDS=seconds) as service:
            load, _ = drain(service)
        lost += load.lost
        total += sum(load.counts.values(), Counter())
    return Outcome(not lost, f"{len(lost)} of {sum(total.values()) - total['refused']} requests are lost {lost}")


def _subfolder(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


OWN_SERVICE_CHECKS: dict[int, Callable[[Path], Outcome]] = {
    14: stop_at_start,
    15: reap_orphan,
    16: keep_alive_at_stop,
    20: stop_process_1,
    21: kill_supervisor,
    24: stop_under_load,
}
