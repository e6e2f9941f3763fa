"""Roll two instances behind HAProxy under load: `python -m tests.haproxy_drain --help`.

HAProxy reads /ready of both instances and sends requests to those that are ready. Each instance in turn gets SIGTERM,
ends, and is started again on its port. "Fresh" and "kept" clients are those of `tests.drain_load`.

A draining instance answers 503 to the requests that arrive before HAProxy has read /ready again. With `retry-on 503`
HAProxy sends them to the other instance. That is safe: a 503 of this service means that nothing was done.
"""

import argparse
import contextlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.server import free_port
from tests.drain_load import KINDS, Load
from tests.service.process.running_service import TIMEOUT, Service, running_service, wait_until

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

CHECK_SECONDS = 0.1
"""HAProxy reads /ready so often. DRAIN_SECONDS must be longer."""

RETRY_ON = "conn-failure empty-response 503"

CONFIGURATION = """
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout check 5s
    retries 3
    option redispatch 1
    retry-on {retry_on}

listen digits
    bind 127.0.0.1:{port}
    monitor-uri /both
    monitor fail if {{ nbsrv lt 2 }}
    option httpchk GET /ready
    default-server check inter {interval}ms fall 2 rise 1
    server a 127.0.0.1:{ports[0]}
    server b 127.0.0.1:{ports[1]}
"""


class Instance:
    """A service on a port of its own, which can be started again."""

    def __init__(self, log: Path, workers: int, drain_seconds: float) -> None:
        self.log = log
        self.port = free_port()
        self._workers = str(workers)
        self._drain_seconds = str(drain_seconds)
        self._stack = contextlib.ExitStack()
        self._service = self._start()

    def restart(self) -> None:
        """Send SIGTERM, wait for the end with status 0, and start again."""
        self.stop()
        assert self._service.process.returncode == 0
        assert "Traceback" not in self.log.read_text()
        self._service = self._start()

    def stop(self) -> None:
        """Send SIGTERM and wait for the end."""
        self._stack.close()

    def _start(self) -> Service:
        service = running_service(
            self.log, PORT=str(self.port), WORKERS=self._workers, DRAIN_SECONDS=self._drain_seconds
        )
        return self._stack.enter_context(service)


@contextlib.contextmanager
def haproxy(folder: Path, ports: list[int], retry_on: str) -> Iterator[int]:
    """Run HAProxy in front of two ports and yield its own port."""
    assert HAPROXY is not None
    port, configuration = free_port(), folder / "haproxy.cfg"
    interval = round(CHECK_SECONDS * 1_000)
    configuration.write_text(CONFIGURATION.format(port=port, ports=ports, retry_on=retry_on, interval=interval))
    with (folder / "haproxy.log").open("w") as log:
        process = subprocess.Popen([HAPROXY, "-db", "-f", configuration], stdout=log, stderr=log)
    try:
        wait_until(lambda: _are_both_up(port))
        yield port
    finally:
        process.kill()
        process.wait()


def _are_both_up(port: int) -> bool:
    """Return whether HAProxy sees both instances as ready."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(b"GET /both HTTP/1.0\r\n\r\n")
        return b" 200 " in connection.recv(100)
    return False


def roll(
    folder: Path, drain_seconds: float, workers: int = 1, rounds: int = 1, clients: int = 4, retry_on: str = RETRY_ON
) -> Load:
    """Restart both instances under load, so many times. Returns what became of all requests."""
    with contextlib.ExitStack() as stack:
        instances = [Instance(folder / f"{name}.log", workers, drain_seconds) for name in "ab"]
        for instance in instances:
            stack.callback(instance.stop)
        port = stack.enter_context(haproxy(folder, [instance.port for instance in instances], retry_on))
        load = stack.enter_context(Load(port, clients))
        for instance in instances * rounds:
            instance.restart()
            wait_until(lambda: _are_both_up(port))
    return load


def main() -> None:
    """Print all requests by kind and result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="each restarts both instances")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--drain", type=float, default=2.0)
    parser.add_argument("--clients", type=int, default=4, help="of each kind")
    parser.add_argument("--retry-on", default=RETRY_ON, help="HAProxy's setting")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load = roll(
            Path(folder), arguments.drain, arguments.workers, arguments.rounds, arguments.clients, arguments.retry_on
        )
    counts = "; ".join(f"{kind} {dict(sorted(load.counts[kind].items()))}" for kind in KINDS)
    print(f"{2 * arguments.rounds} restarts, {arguments.workers} workers, DRAIN_SECONDS={arguments.drain:g},", end=" ")
    print(f"retry-on {arguments.retry_on}: {counts}")
    for line in sorted(set(load.lost)):
        print(f"  {load.lost.count(line)} x {line}")


if __name__ == "__main__":
    main()
