"""The service ends with 0 whenever it is stopped, with or without workers, as process 1 or not, and loses nothing."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.server import ticks
from tests.conftest import ROOT
from tests.drain_load import drain
from tests.service.process.connection import POST, Connection, get, post_head
from tests.service.process.running_service import (
    PNG,
    PYTHON,
    TIMEOUT,
    Service,
    children,
    running_service,
    stop,
    wait_until,
)

STOP_SECONDS = 5
"""Within these after DRAIN_SECONDS the service must end."""

START_SECONDS = 0.6
"""The start takes no longer."""

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])

UNSHARE = ("unshare", "--pid", "--fork", "--mount-proc")
"""Runs a command as process 1 of a new namespace."""


def catches(pid: int, number: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal, or blocks it to receive it later."""
    with contextlib.suppress(OSError):
        masks = re.findall(r"^Sig(?:Cgt|Blk):\s+(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
    return False


@contextlib.contextmanager
def started_service(log: Path, *prefix: str, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """Start the service and yield its process at once, not when it listens."""
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0", **environ}
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*prefix, PYTHON, "-m", "service"],
            cwd=ROOT,
            env=environment,
            stderr=stream,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def stop_after(log: Path, delay: float, *signals: signal.Signals, **environ: str) -> float:
    """Send signals `delay` seconds after the first instruction of the service. Return the seconds until its end."""
    with started_service(log, **environ) as process:
        wait_until(lambda: catches(process.pid, signal.SIGTERM))  # Python itself catches SIGINT earlier
        time.sleep(delay)
        sent = time.monotonic()
        for number in signals:
            process.send_signal(number)
        assert process.wait(TIMEOUT) == 0, log.read_text()
        seconds = time.monotonic() - sent
    assert "Traceback" not in log.read_text()
    return seconds


# Any moment


@WORKERS
@pytest.mark.parametrize("delay", [0.0, 0.15, 0.3, 0.45])
def test_sigterm_during_the_start_ends_with_0(tmp_path: Path, delay: float, workers: str) -> None:
    """Exit with 0 in time, without a traceback, if SIGTERM arrives while the service starts."""
    assert stop_after(tmp_path / "log", delay, signal.SIGTERM, WORKERS=workers) < STOP_SECONDS


@pytest.mark.slow
@WORKERS
@pytest.mark.parametrize(
    "signals",
    [(signal.SIGTERM,), (signal.SIGTERM, signal.SIGTERM), (signal.SIGINT,), (signal.SIGINT, signal.SIGTERM)],
    ids=["SIGTERM", "SIGTERM twice", "SIGINT", "both"],
)
def test_stop_at_any_moment_ends_with_0(tmp_path: Path, signals: tuple[signal.Signals, ...], workers: str) -> None:
    """Exit with 0 in time, without a traceback, for signals at each 30 ms of the start."""
    for step in range(int(START_SECONDS / 0.03)):
        assert stop_after(tmp_path / "log", step * 0.03, *signals, WORKERS=workers) < STOP_SECONDS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_changes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Exit with 0 after DRAIN_SECONDS, however many SIGTERM follow the first signal."""
    with running_service(tmp_path / "log", WORKERS="2", DRAIN_SECONDS="0.5") as service:
        wait_until(lambda: service.log.read_text().count("startup complete") == 2)
        sent = time.monotonic()
        service.process.send_signal(number)
        for _ in range(5):
            time.sleep(0.05)
            service.process.terminate()
        assert service.process.wait(TIMEOUT) == 0
        assert 0.5 < time.monotonic() - sent < 0.5 + STOP_SECONDS
    assert "Traceback" not in service.log.read_text()


# Process 1


def can_unshare() -> bool:
    """Return whether this system lets the test create a process namespace."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0


needs_namespaces = pytest.mark.skipif(not can_unshare(), reason="this system lets tests create no process namespace")


@contextlib.contextmanager
def service_as_process_1(log: Path, **environ: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Run the service as process 1. Yield its number outside, and the process that ends with its status."""
    with started_service(log, *UNSHARE, **environ) as parent:
        wait_until(lambda: bool(children(parent.pid)))
        (pid,) = children(parent.pid)
        try:
            yield pid, parent
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@needs_namespaces
@WORKERS
@pytest.mark.parametrize("delay", [0.0, 0.2, START_SECONDS])
def test_sigterm_ends_process_1(tmp_path: Path, delay: float, workers: str) -> None:
    """Exit with 0 as process 1, which ignores signals that it does not handle."""
    with service_as_process_1(tmp_path / "log", WORKERS=workers) as (pid, parent):
        wait_until(lambda: catches(pid, signal.SIGTERM))
        time.sleep(delay)
        os.kill(pid, signal.SIGTERM)
        assert parent.wait(STOP_SECONDS) == 0


@needs_namespaces
@WORKERS
def test_process_1_reaps_orphans(tmp_path: Path, workers: str) -> None:
    """Collect the status of a process whose parent has ended, and serve on."""
    log = tmp_path / "log"
    with service_as_process_1(log, WORKERS=workers) as (pid, parent):
        wait_until(lambda: log.read_text().count("startup complete") == int(workers))
        before = children(pid)
        subprocess.run(["nsenter", "--target", str(pid), "--pid", "sh", "-c", "sleep 0.3 &"], check=True)
        wait_until(lambda: len(children(pid)) == len(before) + 1)
        wait_until(lambda: children(pid) == before)
        os.kill(pid, signal.SIGTERM)
        assert parent.wait(STOP_SECONDS) == 0
    assert "ended" not in log.read_text()


# Workers


def test_workers_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    """End the workers, after they have answered, when the supervisor is killed."""
    with running_service(tmp_path / "log", WORKERS="2") as service:
        wait_until(lambda: service.log.read_text().count("startup complete") == 2)
        workers = children(service.process.pid)
        with service.open_upload(len(PNG), PNG[:50]) as upload:
            time.sleep(0.1)
            service.process.kill()
            time.sleep(0.2)
            upload.sendall(PNG[50:])
            assert upload.recv(1_000).startswith(b"HTTP/1.1 200")
        wait_until(lambda: not any(is_running(worker) for worker in workers))


def is_running(pid: int) -> bool:
    """Return whether a process exists and has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# Clients


@WORKERS
@pytest.mark.parametrize(
    "sent", [b"", get("/health"), get("/health")[:-2], post_head(10**12)], ids=["silent", "kept", "half", "refused"]
)
def test_idle_connections_do_not_delay_the_end(tmp_path: Path, sent: bytes, workers: str) -> None:
    """Exit in time although clients keep their connections, in whatever state."""
    with running_service(tmp_path / "log", WORKERS=workers) as service, contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(Connection(service.port)).send(sent)
        time.sleep(0.2)
        assert seconds_until_end(service) < STOP_SECONDS
    assert "Traceback" not in service.log.read_text()


@WORKERS
def test_stalled_upload_does_not_delay_the_end(tmp_path: Path, workers: str) -> None:
    """Exit in time although an upload never ends, and respond to it with 503."""
    with running_service(tmp_path / "log", WORKERS=workers) as service, Connection(service.port) as connection:
        connection.send(post_head(len(PNG)) + PNG[:50])
        time.sleep(0.2)
        assert seconds_until_end(service) < STOP_SECONDS
        assert connection.receive().status == 503
    assert "Traceback" not in service.log.read_text()


def seconds_until_end(service: Service) -> float:
    """Send SIGTERM and return the seconds until the service has ended."""
    sent = time.monotonic()
    service.process.terminate()
    assert service.process.wait(TIMEOUT) == 0
    return time.monotonic() - sent


LARGE = (ROOT / "examples" / "2-black-on-white-2000x2000.png").read_bytes()


def test_pictures_of_vanished_clients_are_not_read(tmp_path: Path) -> None:
    """Spend less time on forty vanished clients than on ten images, and end without waiting for them."""
    with running_service(tmp_path / "log", THREADS="1") as service:
        start = ticks(service.process.pid)
        for _ in range(10):
            with Connection(service.port) as connection:
                assert connection.ask(post_head(len(LARGE)) + LARGE).status == 200
        limit = ticks(service.process.pid) - start
        vanish(service)
        with Connection(service.port) as connection:
            assert connection.ask(POST).status == 200
        time.sleep(0.5)
        assert ticks(service.process.pid) - start - limit < limit
        vanish(service)
        assert seconds_until_end(service) < 2
    assert not re.search("Traceback|ERROR|WARNING", service.log.read_text())


def vanish(service: Service) -> None:
    """Send large images and disconnect."""
    connections = [Connection(service.port) for _ in range(40)]
    for connection in connections:
        connection.send(post_head(len(LARGE)) + LARGE)
    time.sleep(0.05)
    for connection in connections:
        connection.socket.close()


@pytest.mark.slow
@WORKERS
@pytest.mark.parametrize("drain_seconds", ["0", "0.5"])
def test_drain_under_load_loses_no_request(tmp_path: Path, drain_seconds: str, workers: str) -> None:
    """Answer every request of fresh and of kept connections whose connection was accepted, through a drain."""
    with running_service(tmp_path / "log", WORKERS=workers, DRAIN_SECONDS=drain_seconds) as service:
        load, seconds = drain(service)
    assert load.lost == []
    assert all(counts["200"] and counts["503"] and counts["refused"] for counts in load.counts.values())
    assert seconds < float(drain_seconds) + STOP_SECONDS
    assert "Traceback" not in service.log.read_text()
