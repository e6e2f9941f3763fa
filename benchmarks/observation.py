"""Measure what metrics and access log cost: CPU time per request at half load, with and without them."""

import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import run_load
from benchmarks.payloads import DIGIT, Request
from benchmarks.server import RunningServer, python, start_server

CONNECTIONS = 16
DELAY_MS = 10
"""Pause of each connection after a response: about half of the requests that one core can answer."""

COMMANDS = {"with": python("-m", "service"), "without": python("-m", "benchmarks.unobserved")}


def measure_observation(request: Request, cores: tuple[int, int], rounds: int, seconds: int) -> dict[str, list[float]]:
    """Return microseconds of CPU time per request, one value per round, `with` and `without` metrics and log."""
    serving_core, load_core = cores
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(start_server(command, [serving_core], request, b'"digit":%d' % DIGIT))
            for name, command in COMMANDS.items()
        }
        results: Mapping[str, list[float]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                results[name].append(_microseconds_per_request(server, request, load_core, seconds))
    return dict(results)


def format_observation(microseconds: Mapping[str, list[float]]) -> str:
    """Format the cost as one sentence."""
    observed, bare = (statistics.median(microseconds[name]) for name in ("with", "without"))
    spread = {name: f"{min(values):.0f} to {max(values):.0f}" for name, values in microseconds.items()}
    return (
        f"Metrics and access log at half load cost {observed / bare - 1:.1%} of the CPU time of a request:"
        f" {observed:.0f} µs ({spread['with']}) with them, {bare:.0f} µs ({spread['without']}) without,"
        f" n = {len(microseconds['with'])}."
    )


def _microseconds_per_request(server: RunningServer, request: Request, core: int, seconds: int) -> float:
    before = _nanoseconds(server.process.pid)
    load = run_load(server.port, request, CONNECTIONS, seconds, core, DELAY_MS)
    return (_nanoseconds(server.process.pid) - before) / 1e3 / load.n


def _nanoseconds(pid: int) -> int:
    """Return the CPU time of all threads of a process."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
