"""Count the requests that are lost while a service under load stops: `python -m tests.drain_load --help`.

A request is lost if its connection was accepted and no complete response came. A refused connection is not: its client
knows that nothing was done. "Fresh" clients open a connection for each request. "Kept" clients keep theirs until a
response says `Connection: close`.
"""

import argparse
import signal
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.client_threads import ClientThreads
from tests.service.process.running_service import PNG, TIMEOUT, Service, running_service

CLIENTS = 8
"""Clients of each kind, one thread each."""

LOAD_SECONDS = 1.0
"""Load before SIGTERM."""

KINDS = ("fresh", "kept")

REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(PNG)
) + PNG


class LostError(Exception):
    """The connection ended before a complete response."""


class Load(ClientThreads[str]):
    """Clients of both kinds, and what became of their requests."""

    def __init__(self, port: int, clients: int = CLIENTS) -> None:
        super().__init__(KINDS, clients)
        self.counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        self.lost: list[str] = []
        self._address = ("127.0.0.1", port)

    def run_client(self, kind: str) -> None:
        """Send requests, and count the responses by status."""
        counts, connection = self.counts[kind], None
        while not self.is_over.is_set():
            try:
                connection = connection or socket.create_connection(self._address, TIMEOUT)
            except OSError:
                counts["refused"] += 1
                time.sleep(0.01)
                continue
            try:
                status, is_last = exchange(connection)
                counts[str(status)] += 1
            except (OSError, LostError) as error:
                counts["lost"] += 1
                self.lost.append(f"{kind}: {error!r}")
                is_last = True
            if is_last or kind == "fresh":
                connection.close()
                connection = None
        if connection is not None:
            connection.close()


def exchange(connection: socket.socket) -> tuple[int, bool]:
    """Send one request. Returns the status of its response, and whether that response closes the connection."""
    connection.sendall(REQUEST)
    response = b""
    while b"\r\n\r\n" not in response:
        response += _receive(connection)
    head, _, body = response.partition(b"\r\n\r\n")
    head = head.lower()
    length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += _receive(connection)
    return int(head[9:12]), b"connection: close" in head


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise LostError("The connection ended.")
    return data


def drain(service: Service, load_seconds: float = LOAD_SECONDS, clients: int = CLIENTS) -> tuple[Load, float]:
    """Stop a service under load. Returns the load, and the seconds that the service took to end."""
    with Load(service.port, clients) as load:
        time.sleep(load_seconds)
        stopped = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(TIMEOUT) == 0
        seconds = time.monotonic() - stopped
        time.sleep(0.1)
    return load, seconds


def main() -> None:
    """Print one line for each combination of workers and drain: all requests by kind and result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--drain", type=float, nargs="*", default=[0.0, 2.0])
    arguments = parser.parse_args()
    for workers in arguments.workers:
        for seconds in arguments.drain:
            _print_runs(workers, seconds, arguments.runs)


def _print_runs(workers: int, drain_seconds: float, runs: int) -> None:
    total: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    slowest, lost = 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(runs):
            log = Path(folder, f"log{run}")
            with running_service(log, WORKERS=str(workers), DRAIN_SECONDS=str(drain_seconds)) as service:
                load, seconds = drain(service)
            assert "Traceback" not in log.read_text(), log.read_text()
            slowest = max(slowest, seconds)
            lost += load.lost
            for kind in KINDS:
                total[kind] += load.counts[kind]
    counts = "; ".join(f"{kind} {dict(sorted(total[kind].items()))}" for kind in KINDS)
    print(f"{workers} workers, DRAIN_SECONDS={drain_seconds:g}, {runs} runs: {counts}; slowest end {slowest:.1f} s")
    for line in sorted(set(lost)):
        print(f"  {lost.count(line)} x {line}")


if __name__ == "__main__":
    main()
