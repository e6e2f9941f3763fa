"""Measure how long a status route takes to respond while the service is under load."""

import http.client
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

INTERVAL = 0.02
"""Seconds between two probes."""

TIMEOUT = 30.0


@dataclass
class Probe:
    """The latencies of one path in milliseconds, and how many responses were missing or not 200."""

    path: str
    milliseconds: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def median(self) -> float:
        """The median latency in milliseconds."""
        return statistics.median(self.milliseconds)

    @property
    def worst(self) -> float:
        """The highest latency in milliseconds."""
        return max(self.milliseconds)

    def __str__(self) -> str:
        return (
            f"{self.path}: n = {len(self.milliseconds)}, median {self.median:.1f} ms, worst {self.worst:.1f} ms,"
            f" {self.failures} failed"
        )


@contextmanager
def probing(port: int, *paths: str) -> Iterator[list[Probe]]:
    """Probe paths from a process of its own until the block ends. Then the list is filled, one Probe per path."""
    probes: list[Probe] = []
    receiver, sender = multiprocessing.Pipe(duplex=True)
    process = multiprocessing.Process(target=_probe, args=(port, paths, sender))
    process.start()
    try:
        yield probes
    finally:
        receiver.send(None)
        probes += receiver.recv()
        process.join()


def _probe(port: int, paths: tuple[str, ...], pipe: Any) -> None:
    """Probe in turn until a message arrives. Every second round opens a connection, the others keep one."""
    probes = [Probe(path) for path in paths]
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    number = 0
    while not pipe.poll(INTERVAL):
        number += 1
        for probe in probes:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT) if number % 2 else kept
            _time(connection, probe)
            if connection is not kept:
                connection.close()
    pipe.send(probes)


def _time(connection: http.client.HTTPConnection, probe: Probe) -> None:
    started = time.perf_counter()
    try:
        connection.request("GET", probe.path)
        response = connection.getresponse()
        response.read()
        probe.failures += response.status != 200
    except (OSError, http.client.HTTPException):
        probe.failures += 1
        connection.close()
    probe.milliseconds.append(1e3 * (time.perf_counter() - started))
