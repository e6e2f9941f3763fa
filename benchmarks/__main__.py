"""`make bench`: this service and a reference server in one run, by turns, on one core; the load comes from another."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import parts
from benchmarks.load import Load, put
from benchmarks.payloads import DIGIT, Request, all_requests, pictures
from benchmarks.report import table
from benchmarks.server import Running, python, running

CONNECTIONS = (1, 16, 64)
LARGE, SLOW = 1_000_000, 3
PACKAGES = ("onnxruntime", "numpy", "pillow", "starlette", "uvicorn", "torch", "fastapi")

SERVERS: Mapping[str, tuple[list[str], bytes]] = {
    "service": (python("-m", "service"), b'"digit":%d' % DIGIT),
    "reference": (python("-m", "uvicorn", "benchmarks.reference:app", "--port", "{port}"), b'"digit":'),
}
"""The command, and what its first answer has to contain."""


def main() -> None:
    """Print one table; write it, and all that was measured, into a folder."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="of load, for each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of measurements; the median counts")
    parser.add_argument("--only", default="", help="requests whose name contains this")
    parser.add_argument("--into", type=Path, default=Path("runs/bench"))
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("make bench: one core serves and another makes the load; this machine, or its limit, has only one.")
    requests = [request for request in all_requests() if options.only in request.name]
    results = measure(requests, (cores[0], cores[1]), options.rounds, options.seconds)
    options.into.mkdir(parents=True, exist_ok=True)
    (options.into / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (options.into / "results.md").write_text(table(results))
    print(table(results))


def measure(requests: Sequence[Request], cores: tuple[int, int], rounds: int, seconds: int) -> dict[str, Any]:
    """Start-up, load by turns, memory, and the parts of a request."""
    serving, loading = cores
    starts = [_start_once(name, serving, requests[0]) for _ in range(rounds + 2) for name in SERVERS]
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_start(name, serving, requests[0])) for name in SERVERS}
        idle = _memory(servers)
        loads = _under_load(servers, requests, loading, rounds, seconds)
        loaded = _memory(servers)
    os.sched_setaffinity(0, [serving])
    return {
        "machine": _machine(),
        "seconds_to_first_answer": {name: [s for n, s in starts if n == name] for name in SERVERS},
        "megabytes": {name: {"idle": idle[name], "after load": loaded[name]} for name in SERVERS},
        "load": loads,
        "parts": {name: parts.of(picture) for name, (_, picture) in pictures().items()},
    }


def _start(name: str, core: int, first: Request) -> AbstractContextManager[Running]:
    command, expected = SERVERS[name]
    return running(command, [core], first, expected)


def _start_once(name: str, core: int, first: Request) -> tuple[str, float]:
    with _start(name, core, first) as server:
        return name, server.seconds


def _memory(servers: Mapping[str, Running]) -> dict[str, float]:
    return {name: server.memory() for name, server in servers.items()}


def _under_load(
    servers: Mapping[str, Running], requests: Sequence[Request], core: int, rounds: int, seconds: int
) -> list[dict[str, Any]]:
    """Every request at every number of connections, one server after the other, again and again."""
    return [
        {"request": request.name, "connections": connections, "server": name}
        | asdict(_load(server, request, connections, core, seconds))
        for _ in range(rounds)
        for request in requests
        for connections in CONNECTIONS
        for name, server in servers.items()
    ]


def _load(server: Running, request: Request, connections: int, core: int, seconds: int) -> Load:
    """Longer where a request takes long, so that there is something to count."""
    slow = SLOW if len(request.body) > LARGE else 1
    found = put(server.port, request, connections, seconds * slow, core)
    server.settle()
    return found


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return {
        "processor": next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?"),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


if __name__ == "__main__":
    main()
