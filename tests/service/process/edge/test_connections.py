"""Connections are limited, and those that wait for their clients make room."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from service.process.crowd import MIN_SILENCE, MIN_STALL
from service.process.log_limit import MAX_REPEATS
from tests.service.process.connection import POST, Connection, get, post_head
from tests.service.process.edge.requests import MAX_UPLOAD_BYTES
from tests.service.process.running_service import PNG, PYTHON, Service, running_service, wait_until

WAITING = {
    "nothing": b"",
    "half of the headers": get("/health")[:-2],
    "a request that was answered": get("/health"),
    "half of an upload": POST[:-50],
    "half of a body for an unknown path": POST.replace(b"/predict", b"/nowhere")[:-50],
}


def crowd_out(log: Path, sent: bytes) -> str:
    """Hold all connections of a service after sending this on each, let others come, and return the log."""
    with running_service(log, MAX_CONNECTIONS="20") as service:
        waiting = [Connection(service.port) for _ in range(20)]
        for connection in waiting:
            connection.send(sent)
        time.sleep(max(MIN_SILENCE, MIN_STALL) + 0.3)
        for _ in range(3 * MAX_REPEATS):
            waiting.append(Connection(service.port))
            assert service.request("GET", "/health")[0] == 200
            time.sleep(0.1)
        for connection in waiting:
            connection.socket.close()
    return log.read_text()


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[str]]]:
    """Crowd out each kind of connection at the same time: that takes four seconds of waiting."""
    folder = tmp_path_factory.mktemp("crowds")
    with ThreadPoolExecutor() as pool:
        yield {name: pool.submit(crowd_out, folder / name, sent) for name, sent in WAITING.items()}


@pytest.mark.parametrize("name", WAITING)
def test_connections_that_wait_for_their_clients_make_room(crowds: dict[str, Future[str]], name: str) -> None:
    """Respond to a new client although others hold all connections, and log it at most MAX_REPEATS times."""
    log = crowds[name].result()
    assert 0 < log.count("that waited for their clients: more than 20 were open.") <= MAX_REPEATS


def test_flood_of_connections_exhausts_no_descriptors(tmp_path: Path) -> None:
    """Accept as many of 400 connections as the descriptors allow, and refuse the others without a traceback."""
    command = ["sh", "-c", f"ulimit -n 160; exec {PYTHON} -m service"]
    with running_service(tmp_path / "log", command) as service:
        flood = [Connection(service.port) for _ in range(400)]
        time.sleep(MIN_SILENCE + 0.3)
        assert service.request("GET", "/health")[0] == 200
        for connection in flood:
            connection.socket.close()
    log = service.log.read_text()
    assert "out of system resource" not in log
    assert "Traceback" not in log


def test_client_that_never_reads_is_cut_off(service: Service, connection: Connection) -> None:
    """Free the descriptor of a client that does not read its responses soon after HEADER_TIMEOUT."""
    descriptors = Path(f"/proc/{service.process.pid}/fd")
    assert connection.ask(get("/health")).status == 200
    before = len(list(descriptors.iterdir()))
    asked = f"Origin: x\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: {'x' * 30_000}\r\n"
    preflight = get("/health", asked).replace(b"GET", b"OPTIONS", 1)  # its response repeats the headers
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.socket.settimeout(0.2)
    with suppress(OSError):  # until the server does not read on either
        while connection.socket.send(preflight):
            time.sleep(0.002)
    begun = time.monotonic()
    wait_until(lambda: len(list(descriptors.iterdir())) < before)
    assert time.monotonic() - begun < 10


def test_connections_that_work_are_not_closed_for_others(tmp_path: Path) -> None:
    """Refuse new connections while others upload, and accept them again afterwards."""
    with running_service(tmp_path / "log", MAX_CONNECTIONS="3") as service:
        uploads = [service.open_upload(len(PNG), PNG[:50]) for _ in range(3)]
        time.sleep(MIN_SILENCE + 0.2)
        with Connection(service.port) as refused:
            assert refused.is_at_end()
        for upload in uploads:
            upload.sendall(PNG[50:])
            assert upload.recv(1_000).startswith(b"HTTP/1.1 200")
            upload.close()
        time.sleep(0.1)
        assert service.request("GET", "/health")[0] == 200
    assert "ERROR" not in service.log.read_text()


def test_descriptors_are_raised_to_the_hard_limit(tmp_path: Path) -> None:
    """Hold more connections than the soft limit of descriptors allows."""
    command = ["sh", "-c", f"ulimit -Sn 40; exec {PYTHON} -m service"]
    with running_service(tmp_path / "log", command) as service:
        limits = Path(f"/proc/{service.process.pid}/limits").read_text()
        match = re.search(r"Max open files +(\d+) +(\d+)", limits)
        assert match
        assert match[1] == match[2]
        silent = [Connection(service.port) for _ in range(100)]
        assert service.request("GET", "/health")[0] == 200
        for connection in silent:
            connection.socket.close()


def test_clients_that_reset_while_they_are_rejected_leave_no_descriptor(service: Service) -> None:
    """Free the connection of a client that reads a part of the response to its upload, and resets the connection."""

    def count_descriptors() -> int:
        return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))

    before = count_descriptors()
    for _ in range(100):
        with Connection(service.port) as connection:
            connection.send(post_head(10 * MAX_UPLOAD_BYTES))
            assert connection.socket.recv(1) == b"H"  # closing a socket that holds unread data resets the connection
    wait_until(lambda: count_descriptors() <= before)
    assert "Traceback" not in service.log.read_text()
