"""HAProxy as deploy/haproxy.cfg configures it, in front of two replicas on this machine."""

import contextlib
import http.client
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.server import free_port
from tests.conftest import ROOT
from tests.service.process.running_service import TIMEOUT, wait_until

HAPROXY = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"


@contextlib.contextmanager
def running_haproxy(log: Path, ports: tuple[int, int]) -> Iterator[int]:
    """Run HAProxy in front of two ports until the block ends, and yield its own port."""
    assert HAPROXY is not None, "haproxy is not installed"
    port = free_port()
    names = ("BIND", "REPLICA_A", "REPLICA_B")
    addresses = {name: f"127.0.0.1:{number}" for name, number in zip(names, (port, *ports), strict=True)}
    with log.open("w") as stream:
        process = subprocess.Popen(
            [HAPROXY, "-db", "-f", CONFIGURATION], env={**os.environ, **addresses}, stdout=stream, stderr=stream
        )
    try:
        wait_until(lambda: is_ready(port))
        yield port
    finally:
        process.kill()
        process.wait()


def is_ready(port: int) -> bool:
    """Return whether GET /ready gives 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    return False
