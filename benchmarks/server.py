"""Run a server in its own process on its own core; measure its start-up and its memory."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.payloads import Request

START_TIMEOUT = 120.0  # seconds


@dataclass(frozen=True)
class RunningServer:
    """A server that has answered. seconds: from the start of its process to its first response."""

    port: int
    seconds: float
    process: subprocess.Popen[bytes]

    def memory(self) -> float:
        """Return the proportional set size (PSS) of all its processes in megabytes."""
        return sum(pss(process) for process in _family(self.process.pid)) / 1e6

    def wait_until_idle(self) -> None:
        """Wait until it has finished the work that disconnected clients have left behind."""
        before = -1
        while (now := sum(ticks(process) for process in _family(self.process.pid))) != before:
            before = now
            time.sleep(0.2)


@contextmanager
def start_server(command: list[str], cores: Iterable[int], first: Request, expected: bytes) -> Iterator[RunningServer]:
    """Start a server and send `first` until a response contains `expected`. Stops the server on exit."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "--cpu-list", ",".join(map(str, cores)), *(part.format(port=port) for part in command)],
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_response(process, port, first, expected)
        yield RunningServer(port, time.perf_counter() - started, process)
    finally:
        process.terminate()
        process.wait(30)


def python(*arguments: str) -> list[str]:
    """Return a command that runs this Python interpreter."""
    return [sys.executable, *arguments]


def _wait_for_response(process: subprocess.Popen[bytes], port: int, first: Request, expected: bytes) -> None:
    deadline = time.perf_counter() + START_TIMEOUT
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            sys.exit(f"make bench: {process.args!r} ended with status {process.returncode}. Run it by hand to see why.")
        if expected in _response(port, first):
            return
        time.sleep(0.005)
    sys.exit(f"make bench: {process.args!r} did not answer within {START_TIMEOUT:g} s.")


def _response(port: int, request: Request) -> bytes:
    """Return the response body, empty while nothing listens."""
    url, headers = f"http://127.0.0.1:{port}{request.path}", {"Content-Type": request.content_type}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, request.body, headers), timeout=30) as response:
            return bytes(response.read())
    except (urllib.error.URLError, ConnectionError):
        return b""


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(pid: int) -> list[int]:
    """Return the process and all its descendants."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(member for child in children for member in _family(child))]


def ticks(pid: int) -> int:
    """Return the CPU time of a process in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def pss(pid: int) -> int:
    """Return the proportional set size (PSS) of a process in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
