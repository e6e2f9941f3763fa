"""A server in a process of its own, on a core of its own: when it first answers, and what memory it takes."""

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

PATIENCE = 120.0


@dataclass(frozen=True)
class Running:
    """A server that has answered: `seconds` passed from the start of its process to its first answer."""

    port: int
    seconds: float
    process: subprocess.Popen[bytes]

    def memory(self) -> float:
        """Megabytes that its processes take together, shared pages counted in parts (PSS)."""
        return sum(pss(process) for process in _family(self.process.pid)) / 1e6

    def settle(self) -> None:
        """Wait until it is idle: what its clients have left behind must not burden the next measurement."""
        before = -1
        while (now := sum(ticks(process) for process in _family(self.process.pid))) != before:
            before = now
            time.sleep(0.2)


@contextmanager
def running(command: list[str], cores: Iterable[int], first: Request, expected: bytes) -> Iterator[Running]:
    """Start it, send `first` until the answer contains `expected`, and stop it in the end."""
    port = _free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "--cpu-list", ",".join(map(str, cores)), *(part.format(port=port) for part in command)],
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, port, first, expected)
        yield Running(port, time.perf_counter() - started, process)
    finally:
        process.terminate()
        process.wait(30)


def python(*arguments: str) -> list[str]:
    """A command that runs this very Python."""
    return [sys.executable, *arguments]


def _wait(process: subprocess.Popen[bytes], port: int, first: Request, expected: bytes) -> None:
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            sys.exit(f"make bench: {process.args!r} ended with status {process.returncode}. Run it by hand to see why.")
        if expected in _answer(port, first):
            return
        time.sleep(0.005)
    sys.exit(f"make bench: {process.args!r} did not answer within {PATIENCE:g} s.")


def _answer(port: int, request: Request) -> bytes:
    """Empty while nobody listens."""
    url, headers = f"http://127.0.0.1:{port}{request.path}", {"Content-Type": request.content_type}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, request.body, headers), timeout=30) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, ConnectionError):
        return b""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(member for child in children for member in _family(child))]


def ticks(pid: int) -> int:
    """Hundredths of a second that a process has run."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def pss(pid: int) -> int:
    """Bytes of a process's memory, pages that it shares counted in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
