"""The image's health check is right about the service, and costs next to nothing."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.service.process.running_service import PYTHON, TIMEOUT, running_service

MAX_CPU_SECONDS = 0.030
MAX_BYTES = 15_000_000
RUNS = 5


def probe_command() -> list[str]:
    """Return the health check of the Dockerfile, with the interpreter of the tests."""
    match = re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert match
    replaced = {"python3": PYTHON, "/app/probe.py": str(ROOT / "deploy" / "probe.py")}
    return [replaced.get(word, word) for word in json.loads(match[1])]


def probe(**environ: str) -> int:
    """Run the health check with no other environment than this, and return its status."""
    command = probe_command()
    return subprocess.run(command, env=environ, stderr=subprocess.DEVNULL, check=False, timeout=TIMEOUT).returncode


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen on a free port, and answer nothing by itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT)
        yield server


def answer(listener: socket.socket, response: bytes) -> int:
    """Run the health check on a server that gives this response, and return its status."""
    process = subprocess.Popen(probe_command(), env={"PORT": str(listener.getsockname()[1])}, stderr=subprocess.DEVNULL)
    connection, _ = listener.accept()
    with connection:
        connection.recv(1_000)
        connection.sendall(response)
    return process.wait(TIMEOUT)


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_running_service_is_healthy(host: str, tmp_path: Path) -> None:
    """Find the service by the settings HOST and PORT, also with a key and another HEALTH_STATUS."""
    with running_service(tmp_path / "log", API_KEY="secret", HEALTH_STATUS="healthy") as service:
        assert probe(HOST=host, PORT=str(service.port)) == 0


def test_a_closed_port_is_unhealthy(listener: socket.socket) -> None:
    """Fail if nothing listens."""
    port = listener.getsockname()[1]
    listener.close()
    assert probe(PORT=str(port)) == 1


@pytest.mark.parametrize("response", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"", b"HTTP/1.1 20", b"SSH-2.0-x"])
def test_any_other_response_is_unhealthy(listener: socket.socket, response: bytes) -> None:
    """Fail unless the status is 200."""
    assert answer(listener, response) == 1


def test_the_health_check_is_cheap(listener: socket.socket) -> None:
    """Take less than 30 ms of CPU and 15 MB of memory, in the fastest of a few runs."""
    costs = [_cost(listener) for _ in range(RUNS)]
    assert min(seconds for seconds, _ in costs) < MAX_CPU_SECONDS
    assert max(peak for _, peak in costs) < MAX_BYTES


def _cost(listener: socket.socket) -> tuple[float, int]:
    """Run the health check, and return its CPU seconds and the peak of its memory in bytes while it waits."""
    process = subprocess.Popen(probe_command(), env={"PORT": str(listener.getsockname()[1])})
    connection, _ = listener.accept()
    with connection:
        connection.recv(1_000)
        status = Path(f"/proc/{process.pid}/status").read_text()
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    _, exit_status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(exit_status)
    assert process.returncode == 0
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert peak
    return usage.ru_utime + usage.ru_stime, int(peak[1]) * 1024
