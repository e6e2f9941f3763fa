"""Send four times the load that one worker can serve: `python -m benchmarks.overload --help`. Needs two cores."""

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.open_loop import OpenLoop, Results, percentile
from benchmarks.payloads import DIGIT, Request, all_requests
from benchmarks.probe import Probe, probing
from benchmarks.server import python, start_server

PEAK_CONNECTIONS = (16, 64)
LOADS = ((0.0, 64), (0.0, 256), (0.0, 900), (4.0, 300), (4.0, 900))
"""Multiples of the peak throughput that are due, 0 for a new request with each response; and connections."""

GENERATOR_NICENESS = 5
"""The probes share the generator's core, and must not wait for it."""

MIN_SHARE, MAX_P99_MS, MAX_MEDIAN_MS, MAX_WORST_MS = 0.9, 60_000, 50, 100
"""The bars: share of the peak that is served, latency of what is served, and of the status routes."""


@dataclass(frozen=True)
class Measurement:
    """One load and the probes during it."""

    results: Results
    probes: list[Probe]


def main() -> None:
    """Print one line per load, and exit with status 1 if a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of each load (2)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each load (3)")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("benchmarks.overload: two CPU cores are needed, one for the service and one for the load.")
    request = next(request for request in all_requests() if request.name == "28x28 PNG, multipart")
    os.sched_setaffinity(0, [cores[1]])
    os.nice(GENERATOR_NICENESS)
    with start_server(python("-m", "service"), [cores[0]], request, b'"digit":%d' % DIGIT) as server:
        sys.exit(_measure(server.port, request, options.rounds, options.seconds))


def _measure(port: int, request: Request, rounds: int, seconds: float) -> int:
    """Measure the peak, then every load; all of them once per round. Returns 1 if a bar is not met."""
    peaks: list[float] = []
    measured: dict[tuple[float, int], list[Measurement]] = {load: [] for load in LOADS}
    for _ in range(rounds):
        peaks += [max(_load(port, request, 0, n, seconds).results.rate for n in PEAK_CONNECTIONS)]
        for factor, connections in LOADS:
            measurement = _load(port, request, factor * statistics.median(peaks), connections, seconds)
            measured[factor, connections].append(measurement)
    peak = statistics.median(peaks)
    print(f"peak: {_spread(peaks)} requests/s")
    return max(_report(load, measurements, peak) for load, measurements in measured.items())


def _load(port: int, request: Request, rate: float, connections: int, seconds: float) -> Measurement:
    generator = OpenLoop(port, request, connections)
    with probing(port, "/health", "/ready", "/metrics") as probes:
        results = generator.run(rate, seconds)
    return Measurement(results, probes)


def _report(load: tuple[float, int], measurements: Sequence[Measurement], peak: float) -> int:
    factor, connections = load
    loads = [measurement.results for measurement in measurements]
    probes = [probe for measurement in measurements for probe in measurement.probes]
    share = statistics.median(result.rate for result in loads) / peak
    served = [latency for result in loads for latency in result.served]
    shed = [latency for result in loads for latency in result.shed]
    median, worst = statistics.median(probe.median for probe in probes), max(probe.worst for probe in probes)
    faults = sum(result.lost + result.without_retry_after for result in loads) + sum(probe.failures for probe in probes)
    print(
        f"{f'{factor:g}x' if factor else 'closed loop'}, {connections} connections: served"
        f" {_spread([result.rate for result in loads])} requests/s ({share:.0%} of the peak), p50"
        f" {percentile(served, 50):.0f} ms, p99 {percentile(served, 99):.0f} ms; 503: n = {len(shed)}, p50"
        f" {percentile(shed, 50):.0f} ms, p99 {percentile(shed, 99):.0f} ms; not sent for want of a connection:"
        f" {_spread([result.unsent / result.seconds for result in loads])}/s; status routes: median {median:.1f} ms,"
        f" worst {worst:.1f} ms; {faults} faults",
        flush=True,
    )
    is_met = share >= MIN_SHARE and percentile(served, 99) <= MAX_P99_MS and not faults
    return int(not (is_met and median <= MAX_MEDIAN_MS and worst <= MAX_WORST_MS))


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f}, n = {len(values)})"


if __name__ == "__main__":
    main()
