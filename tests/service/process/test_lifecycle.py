"""The service ends with 0 whenever it is stopped, with or without workers, as process 1 or not, and loses nothing."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.server import ticks
from service import __version__
from tests.conftest import ROOT
from tests.drain_load import drain
from tests.service.process.connection import POST, Connection, get, post_head
from tests.service.process.running_service import (
    PNG,
    PYTHON,
    TIMEOUT,
    Service,
    children,
    read_response,
    running_service,
    wait_until,
)
from tests.stop_sweep import UNSHARE, service_as_process_1, stop_once, sweep

STOP_SECONDS = 5
"""Within these after DRAIN_SECONDS the service must end."""

STARTS = 60
SWEEP_SECONDS = 1.5
"""A start, with several at once on two cores."""

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


def can_unshare() -> bool:
    """Return whether this system lets the test create a process namespace."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0


needs_namespaces = pytest.mark.skipif(not can_unshare(), reason="this system lets tests create no process namespace")
IS_PROCESS_1 = pytest.mark.parametrize(
    "is_process_1", [False, pytest.param(True, marks=needs_namespaces)], ids=["process", "process 1"]
)


# Any moment


@IS_PROCESS_1
@WORKERS
@pytest.mark.parametrize("delay", [0.0, 0.2, 0.4])
def test_sigterm_during_the_start_ends_with_0(tmp_path: Path, delay: float, workers: str, is_process_1: bool) -> None:
    """Exit with 0 in time, without a traceback, if SIGTERM arrives while the service starts."""
    stop = stop_once(tmp_path / "log", workers, "SIGTERM", delay, is_process_1)
    assert stop.is_clean, stop
    assert stop.seconds < STOP_SECONDS


@pytest.mark.slow
@IS_PROCESS_1
def test_stop_at_any_moment_ends_with_0(tmp_path: Path, is_process_1: bool) -> None:
    """Exit with 0 in time, without a traceback, for signals at many moments of the start, once or twice."""
    for stop in sweep(tmp_path, STARTS, SWEEP_SECONDS, is_process_1, at_once=6):
        assert stop.is_clean, stop
        assert stop.seconds < STOP_SECONDS, stop


def test_connection_that_waits_for_the_workers_is_answered(tmp_path: Path) -> None:
    """Answer a request that arrived before the workers handle signals, although SIGTERM follows at once."""
    with running_service(tmp_path / "log", WORKERS="2") as service, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Connection(service.port)) for _ in range(8)]
        for connection in connections:
            connection.send(get("/health"))
        assert seconds_until_end(service) < STOP_SECONDS
        assert [connection.receive().status for connection in connections] == [200] * 8


@WORKERS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_changes_nothing(tmp_path: Path, number: signal.Signals, workers: str) -> None:
    """Exit with 0 after DRAIN_SECONDS and finish an upload, however many signals follow the first."""
    with running_service(tmp_path / "log", WORKERS=workers, DRAIN_SECONDS="0.5") as service:
        with service.open_upload(len(PNG), PNG[:50]) as upload:
            time.sleep(0.2)
            sent = time.monotonic()
            for _ in range(6):
                os.killpg(service.process.pid, number)  # as a terminal does at Ctrl-C
                time.sleep(0.05)
            time.sleep(1.2)  # until the server no longer listens
            upload.sendall(PNG[50:])
            assert read_response(upload)[0] == 200
        assert service.process.wait(TIMEOUT) == 0
        assert 0.5 < time.monotonic() - sent < 0.5 + STOP_SECONDS
    assert "Traceback" not in service.log.read_text()


# Process 1


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


QUICK_HEARTBEAT = (
    "from service.process import workers; workers.HEARTBEAT_TIMEOUT = 3.0; from service.__main__ import main; main()"
)


@pytest.mark.slow
def test_only_a_worker_that_hangs_is_killed(tmp_path: Path) -> None:
    """Replace a paused worker after HEARTBEAT_TIMEOUT, but let another drain for longer than that."""
    command = [PYTHON, "-c", QUICK_HEARTBEAT]
    with running_service(tmp_path / "log", command, WORKERS="2", DRAIN_SECONDS="5") as service:
        wait_until(lambda: service.log.read_text().count("startup complete") == 2)
        paused, draining = children(service.process.pid)
        os.kill(paused, signal.SIGSTOP)
        os.kill(draining, signal.SIGTERM)
        wait_until(lambda: service.log.read_text().count("startup complete") == 4)
        log = service.log.read_text()
        os.killpg(service.process.pid, signal.SIGKILL)
    assert f"Worker {paused} sent no heartbeat for 3 s and is killed." in log
    assert f"Worker {paused} ended (-9) and is replaced." in log
    assert f"Worker {draining} ended (-15) and is replaced." in log


def is_running(pid: int) -> bool:
    """Return whether a process exists and has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# Clients


@WORKERS
def test_clients_do_not_delay_the_end(tmp_path: Path, workers: str) -> None:
    """Exit in time although clients keep their connections, in whatever state, and respond with 503 to an upload."""
    with running_service(tmp_path / "log", WORKERS=workers) as service, contextlib.ExitStack() as stack:
        for sent in (b"", get("/health"), get("/health")[:-2], post_head(10**12)):
            for _ in range(30):
                stack.enter_context(Connection(service.port)).send(sent)
        upload = stack.enter_context(Connection(service.port))
        upload.send(post_head(len(PNG)) + PNG[:50])
        time.sleep(0.2)
        assert seconds_until_end(service) < STOP_SECONDS
        assert upload.receive().status == 503
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
def test_requests_that_outlast_the_stop_get_503(tmp_path: Path) -> None:
    """Respond to each of many large images, with 503 to those that are not read in time, and exit in time."""
    with running_service(tmp_path / "log", THREADS="1") as service, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Connection(service.port)) for _ in range(400)]
        for connection in connections:
            connection.send(post_head(len(LARGE)) + LARGE)
        assert connections[0].receive().status == 200
        assert seconds_until_end(service) < STOP_SECONDS
        statuses = {connection.receive().status for connection in connections[1:]}
    assert 503 in statuses <= {200, 503}
    assert "Traceback" not in service.log.read_text()


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


def test_images_are_read_during_the_shutdown_delay(tmp_path: Path) -> None:
    """Respond with 503 to /ready alone, close kept connections with their next response, and then drain and end."""
    with running_service(tmp_path / "log", SHUTDOWN_DELAY="2", DRAIN_SECONDS="1") as service:
        with Connection(service.port) as kept:
            assert not kept.ask(POST).closes
            sent = time.monotonic()
            service.process.terminate()
            wait_until(lambda: service.request("GET", "/ready") == (503, {"status": "stopping"}))
            response = kept.ask(POST)
            assert (response.status, response.closes) == (200, True)
        assert service.predict()[0] == 200
        wait_until(lambda: service.request("GET", "/ready") == (503, {"status": "draining"}))
        assert service.predict()[0] == 503
        assert service.process.wait(TIMEOUT) == 0
        assert 3 < time.monotonic() - sent < 3 + STOP_SECONDS
        stages = ("responds with 503. Requests are served for SHUTDOWN_DELAY: 2 s", "503 for DRAIN_SECONDS: 1 s")
        assert all(stage in service.log.read_text() for stage in stages)


@pytest.mark.parametrize(("key", "is_required"), [("", "none"), ("secret-key-of-16", "required")])
def test_log_of_a_start_says_what_is_served(tmp_path: Path, key: str, is_required: str) -> None:
    """Name version, model, workers and limits once, and no key."""
    with running_service(tmp_path / "log", WORKERS="2", THREADS="3", MEMORY_BUDGET="54000000", API_KEY=key) as service:
        text = service.log.read_text()
    expected = f"Workers: 2. Threads per worker: 3. Memory for requests per worker: 54 MB. API key: {is_required}."
    (line,) = (line for line in text.splitlines() if "serves" in line)
    assert re.match(rf"digit-service: Version {__version__} serves \S+/model\S*\.onnx\. ", line)
    assert line.endswith(expected)
    assert "secret" not in text


@pytest.mark.slow
def test_workers_have_time_for_the_shutdown_delay(tmp_path: Path) -> None:
    """Kill no worker that stops after a SHUTDOWN_DELAY longer than the time that a stop takes otherwise."""
    with running_service(tmp_path / "log", WORKERS="2", SHUTDOWN_DELAY="5.5") as service:
        service.process.terminate()
        assert service.process.wait(TIMEOUT) == 0
    assert "is killed" not in service.log.read_text()
