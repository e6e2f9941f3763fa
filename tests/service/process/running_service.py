"""Run `python -m service` in a process of its own, and talk to it over sockets."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.images import SEVEN, encode

PYTHON = str(Path(os.environ.get("SERVE_PYTHON", sys.executable)).absolute())
"""The interpreter of the environment that `make serve` creates, where `make test` names it."""

COMMAND = (PYTHON, "-m", "service")
PNG = encode(SEVEN)
TIMEOUT = 30.0

START_TIMEOUT = 120.0
"""A start takes less than a second, but other tests may use all of the processor and of the disk for half a minute."""


@dataclass
class Service:
    """A running service: its process, its port and its log."""

    process: "subprocess.Popen[str]"
    port: int
    log: Path

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Return status and JSON of a response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        response = connection.getresponse()
        status, content = response.status, json.loads(response.read())
        connection.close()
        return status, content

    def predict(self) -> tuple[int, dict[str, Any]]:
        """Return status and JSON of the response to an image of a seven."""
        return self.request("POST", "/predict", PNG, Content_Type="image/png")

    def open_upload(self, length: int, sent: bytes) -> socket.socket:
        """Open a POST to /predict that has sent only a part of its declared length."""
        upload = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        headers = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n\r\n"
        upload.sendall(headers.encode() + sent)
        return upload


def read_response(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of the response on an open connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


@contextmanager
def running_service(
    log: Path,
    command: Sequence[str] = COMMAND,
    folder: Path = ROOT,
    stdout: int | None = None,
    **environ: str,
) -> Iterator[Service]:
    """Run the service with one worker on a free port of the loopback interface, until the block ends."""
    with log.open("w") as stream:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", "WORKERS": "1", **environ},
            stdout=stdout,
            stderr=stream,
            text=True,
            start_new_session=True,
        )
    try:
        yield Service(process, _wait_for_port(process, log), log)
    finally:
        stop(process)


def stop(process: "subprocess.Popen[str]") -> None:
    """End a process that leads its own session, and all of its workers."""
    process.terminate()
    try:
        process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT)
        raise


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll a condition until it holds; fail after TIMEOUT seconds."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children(pid: int) -> set[int]:
    """Return the child processes of a process."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def _wait_for_port(process: "subprocess.Popen[str]", log: Path) -> int:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if match := re.search(r"Running on http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(match[1])
        time.sleep(0.02)
    raise AssertionError(f"the service did not start: {log.read_text()}")
