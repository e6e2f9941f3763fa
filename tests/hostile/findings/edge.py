"""Findings 5 to 7, 12, 18 and 23: what is wrong with HTTP before any image is read."""

import resource
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from service.process.log_limit import MAX_REPEATS
from tests.hostile.findings.observation import Outcome, observed, quiet_service, worst
from tests.images import DIGIT
from tests.service.process.connection import POST, Connection, get, post_head
from tests.service.process.edge.requests import JAVA_POST, MALFORMED, UPGRADE
from tests.service.process.running_service import PNG, PYTHON, Service

DESCRIPTORS, SILENT = 1_024, 1_100
MAX_LOG_BYTES = 100_000


def pipeline(service: Service) -> Outcome:
    """Send 1 and 10 MB of pipelined requests."""
    seen = []
    for size in (1_000_000, 10_000_000):
        with Connection(service.port) as connection, observed(service) as observation:
            with suppress(ConnectionError):
                connection.send(POST * (size // len(POST)))
            statuses = [connection.receive().status, connection.receive().status]
        seen.append(observation)
    return Outcome(
        statuses == [200, 200] and worst(seen).holds, f"two are answered, then it is closed, at most {worst(seen)}"
    )


def keep_silent(folder: Path) -> Outcome:
    """Open more silent sockets than there are descriptors."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    command = ["sh", "-c", f"ulimit -n {DESCRIPTORS}; exec {PYTHON} -m service"]
    with quiet_service(folder / "silent", command) as service, ExitStack() as stack:
        for _ in range(SILENT):
            stack.enter_context(Connection(service.port))
        time.sleep(2)
        with observed(service) as observation:
            time.sleep(2)
            status = service.predict()[0]
        size = service.log.stat().st_size
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    holds = status == 200 and observation.is_harmless and size < MAX_LOG_BYTES
    return Outcome(holds, f"{status} for a new client, /health {observation.health_ms:.0f} ms, {size} bytes of log")


def offer_h2c(service: Service) -> Outcome:
    """Send the bytes of Java's HttpClient and of `curl --http2`."""
    digits = []
    for head in (JAVA_POST, post_head(len(PNG), UPGRADE)):
        with Connection(service.port) as connection:
            connection.send(head)
            time.sleep(0.05)
            digits.append(connection.ask(PNG).content.get("digit"))
    return Outcome(digits == [DIGIT] * 2, f"the uploads of both give {digits}")


def send_headers(service: Service) -> Outcome:
    """Send 20 and 100 MB of headers."""
    statuses, seen = [], []
    for size in (20_000_000, 100_000_000):
        with Connection(service.port) as connection, observed(service) as observation:
            with suppress(ConnectionError):
                connection.send(get("/health")[:-2] + b"A: x\r\n" * (size // 6))
            with suppress(ConnectionError, AssertionError):  # cut off for sending on
                statuses.append(connection.receive().status)
        seen.append(observation)
    return Outcome(worst(seen).holds, f"{statuses or 'cut off'}, at most {worst(seen)}")


def declare_length(service: Service) -> Outcome:
    """Declare 10^12 bytes, and wait for 100 Continue."""
    with Connection(service.port) as connection, observed(service) as observation:
        response = connection.ask(post_head(10**12, "Expect: 100-continue\r\n"))
        is_at_end = connection.is_at_end()
    holds = (response.status, response.closes, is_at_end) == (413, True, True) and observation.holds
    return Outcome(holds, f"{response.status} without 100 Continue, then the end: {observation}")


def send_nonsense(folder: Path) -> Outcome:
    """Send every kind of malformed request several times, and count the lines of the log."""
    with quiet_service(folder / "nonsense") as service:
        responses = [_ask(service, request) for request in MALFORMED.values() for _ in range(5)]
        lines = service.log.read_text().count("Rejected a request")
    holds = set(responses) == {(400, "detail", True)} and lines <= MAX_REPEATS
    return Outcome(holds, f"{len(responses)} x 400 with a detail, then the end; {lines} lines of log")


def _ask(service: Service, request: bytes) -> tuple[int, str, bool]:
    """Return the status, the keys and the end of the response."""
    with Connection(service.port) as connection:
        response = connection.ask(request)
        return response.status, ",".join(response.content), response.closes and connection.is_at_end()


CHECKS: dict[int, Callable[[Service], Outcome]] = {
    5: pipeline,
    7: offer_h2c,
    12: send_headers,
    18: declare_length,
}
OWN_SERVICE_CHECKS: dict[int, Callable[[Path], Outcome]] = {6: keep_silent, 23: send_nonsense}
