"""`make bench`: measure this service and a reference server alternately on one core, with the load from another."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.load import Load, require_wrk, run_load
from benchmarks.observation import measure_observation
from benchmarks.payloads import DIGIT, Request, all_images, all_requests, mix_request
from benchmarks.plot import draw
from benchmarks.real_images import real_images
from benchmarks.report import table
from benchmarks.server import RunningServer, python, start_server
from benchmarks.stages import measure_stages
from export.progress import Progress

CONNECTIONS = (1, 16, 64)
OBSERVATION_ROUNDS = 7
LARGE_BODY = 1_000_000
LONG_LOAD_FACTOR = 3
"""Requests with a large body are slow, and of a mix each must be sent. Their load lasts this many times as long."""

PACKAGES = ("onnxruntime", "numpy", "pillow", "starlette", "uvicorn", "torch", "fastapi")

SERVERS: Mapping[str, tuple[list[str], bytes]] = {
    "service": (python("-m", "service"), b'"digit":%d' % DIGIT),
    "reference": (python("-m", "uvicorn", "benchmarks.reference:app", "--port", "{port}"), b'"digit":'),
}
"""Each server's command, and what its first response must contain."""


def main() -> None:
    """Print one table, and write it with all measurements and a plot into a folder."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="seconds of load per measurement (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements per row; the table shows the median (3)")
    parser.add_argument("--only", default="", help="measure only requests whose name contains this text")
    parser.add_argument("--into", type=Path, default=Path("runs/bench"), help="output folder (runs/bench)")
    options = parser.parse_args()
    require_wrk()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit(
            "make bench: two CPU cores are needed, one for the server and one for the load. Only one is available."
        )
    files = real_images(os.environ)
    mix = [] if isinstance(files, str) else [mix_request(files)]
    requests = [request for request in [*mix, *all_requests()] if options.only in request.name]
    results = measure(requests, (cores[0], cores[1]), options.rounds, options.seconds)
    results["real_images"] = files if isinstance(files, str) else len(files)
    options.into.mkdir(parents=True, exist_ok=True)
    (options.into / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (options.into / "results.md").write_text(table(results))
    draw(options.into)
    print(table(results))


def measure(requests: Sequence[Request], cores: tuple[int, int], rounds: int, seconds: int) -> dict[str, Any]:
    """Measure start-up, load on both servers alternately, memory, and the stages of a request."""
    serving_core, load_core = cores
    first = all_requests()[0]
    starts = [_time_start(name, serving_core, first) for _ in range(rounds + 2) for name in SERVERS]
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_start(name, serving_core, first)) for name in SERVERS}
        idle = _memory(servers)
        loads = _load_alternately(servers, requests, load_core, rounds, seconds)
        loaded = _memory(servers)
    observation = measure_observation(first, cores, OBSERVATION_ROUNDS, seconds)
    os.sched_setaffinity(0, [serving_core])
    return {
        "machine": _machine(),
        "seconds_per_load": seconds,
        "seconds_to_first_answer": {name: [s for n, s in starts if n == name] for name in SERVERS},
        "megabytes": {name: {"idle": idle[name], "after load": loaded[name]} for name in SERVERS},
        "load": loads,
        "microseconds_per_request": observation,
        "stages": {name: measure_stages(image_bytes) for name, (_, image_bytes) in all_images().items()},
    }


def _start(name: str, core: int, first: Request) -> AbstractContextManager[RunningServer]:
    command, expected = SERVERS[name]
    return start_server(command, [core], first, expected)


def _time_start(name: str, core: int, first: Request) -> tuple[str, float]:
    with _start(name, core, first) as server:
        return name, server.seconds


def _memory(servers: Mapping[str, RunningServer]) -> dict[str, float]:
    return {name: server.memory() for name, server in servers.items()}


def _load_alternately(
    servers: Mapping[str, RunningServer], requests: Sequence[Request], core: int, rounds: int, seconds: int
) -> list[dict[str, Any]]:
    """Load every server with every request at every number of connections, in turn, `rounds` times."""
    turns = list(product(range(rounds), requests, CONNECTIONS, servers.items()))
    return [
        {"request": request.name, "connections": connections, "server": name}
        | asdict(_load(server, request, connections, core, seconds))
        for _, request, connections, (name, server) in Progress(turns, "Measuring", unit="loads")
    ]


def _load(server: RunningServer, request: Request, connections: int, core: int, seconds: int) -> Load:
    factor = LONG_LOAD_FACTOR if len(request.body) > LARGE_BODY or request.more_bodies else 1
    load = run_load(server.port, request, connections, seconds * factor, core)
    server.wait_until_idle()
    return load


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return {
        "processor": next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?"),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


if __name__ == "__main__":
    main()
