"""Run the service on a free port, and send it requests."""

import http.client
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.trial.requests import Request

TIMEOUT = 120.0
"""Seconds. Enough for an emulated processor."""

RUNNING = re.compile(r"Running on http://127\.0\.0\.1:(\d+)")


class TrialError(Exception):
    """The service does not start or stop, or gives a wrong response."""


@dataclass(frozen=True)
class Response:
    """The status and the body of a response."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Running:
    """A running service: its port, and the process that started it."""

    port: int
    pid: int

    def send(self, request: Request) -> Response:
        """Send a request. Raises TrialError if the response is not what the request demands."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.request(request.method, request.path, request.body, request.headers)
        received = connection.getresponse()
        response = Response(received.status, received.read())
        connection.close()
        if response.status >= 500 or (request.digit is not None and not _shows(response, request.digit)):
            raise TrialError(f"{request.method} {request.path} expected digit {request.digit}, but got {response}")
        return response


@contextmanager
def running(command: Sequence[str], folder: Path, log: Path, **environ: str) -> Iterator[Running]:
    """Run the service in a folder until the block ends, which must end it with status 0. Writes its log into a file."""
    # The order of a set, such as the methods in an error, must not differ from run to run.
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0", "PYTHONHASHSEED": "0", **environ}
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
    try:
        yield Running(_wait_for_port(process, log), process.pid)
    finally:
        process.terminate()
        status = process.wait(TIMEOUT)
    if status != 0:
        raise TrialError(f"The service ended with status {status}: {log.read_text()}")


def _wait_for_port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if match := RUNNING.search(log.read_text()):
            return int(match[1])
        time.sleep(0.02)
    raise TrialError(f"The service does not start: {log.read_text()}")


def _shows(response: Response, digit: int) -> bool:
    return response.status == 200 and b'"digit":%d' % digit in response.body
