"""Several workers share one port and one copy of the model, and a worker that ends is replaced."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.server import pss, ticks
from service.errors import SettingError
from service.process.listeners import listen
from service.process.server import ACCEPT_GRACE, CANCEL_SECONDS, FINISH_SECONDS, FLUSH_SECONDS
from service.process.workers import STOP_GRACE
from tests.images import DIGIT
from tests.service.process.running_service import TIMEOUT, Service, children, running_service, wait_until


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Run a service with two workers."""
    with running_service(tmp_path / "log", WORKERS="2") as service:
        wait_until(lambda: len(workers(service)) == 2)
        yield service


def workers(service: Service) -> set[int]:
    return children(service.process.pid)


def wait_until_serving(service: Service, count: int) -> None:
    """Wait until so many workers have reported that they serve. Only then do they have signal handlers."""
    wait_until(lambda: service.log.read_text().count("Application startup complete.") >= count)


def test_connections_are_spread_over_the_workers(service: Service) -> None:
    """Respond from both workers: each consumes CPU time for a part of the requests."""
    before = {pid: ticks(pid) for pid in workers(service)}
    deadline = time.monotonic() + TIMEOUT
    while any(ticks(pid) - start < 2 for pid, start in before.items()):
        assert time.monotonic() < deadline
        for _ in range(40):
            assert service.predict()[1]["digit"] == DIGIT


def test_killed_worker_is_replaced(service: Service) -> None:
    """Replace a worker that the kernel kills, log its exit code, and respond to every later request."""
    victim = min(workers(service))
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(workers(service)) == 2 and victim not in workers(service))
    for _ in range(20):
        assert service.predict()[0] == 200
    assert f"Worker {victim} ended (-9) and is replaced." in service.log.read_text()


def test_sigterm_ends_every_worker(service: Service) -> None:
    """Exit with 0 when all workers have ended, and replace none of them."""
    pids = workers(service)
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(TIMEOUT) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert "is replaced" not in service.log.read_text()


def test_ctrl_c_ends_every_worker_without_a_traceback(service: Service) -> None:
    """Exit with 0 and log no traceback if a terminal sends SIGINT to all processes at once."""
    wait_until_serving(service, 2)
    os.killpg(service.process.pid, signal.SIGINT)
    assert service.process.wait(TIMEOUT) == 0
    assert "Traceback" not in service.log.read_text()


def test_workers_share_the_memory_of_the_model(service: Service) -> None:
    """Take less than 1.6 times the memory of the largest process, for a supervisor and two workers."""
    assert service.predict()[0] == 200
    processes = [service.process.pid, *workers(service)]
    assert len(processes) == 3
    assert sum(map(pss, processes)) < 1.6 * max(map(_resident_bytes, processes))


def _resident_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def test_listeners_share_one_port() -> None:
    """Open every listener on the same free port, and reject a port that other listeners would share."""
    listeners = listen("127.0.0.1", 0, 2)
    port = listeners[0].getsockname()[1]
    assert [listener.getsockname()[1] for listener in listeners] == [port, port]
    with pytest.raises(SettingError, match=f"PORT={port}: address already in use"):
        listen("127.0.0.1", port, 2)
    for listener in listeners:
        listener.close()


def test_invalid_host_is_named() -> None:
    """Raise SettingError with the address that cannot be bound."""
    with pytest.raises(SettingError, match=r"HOST='192\.0\.2\.1' PORT=0: cannot assign requested address"):
        listen("192.0.2.1", 0, 1)


def test_server_stops_before_its_worker_is_killed() -> None:
    """Kill a worker only after every period that its server may take to stop."""
    assert STOP_GRACE > ACCEPT_GRACE + FINISH_SECONDS + CANCEL_SECONDS + FLUSH_SECONDS
