"""A client that reads nothing costs little memory, however large its response is."""

import http.client
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.process.listeners import MAX_UNSENT_BYTES
from tests.service.process.connection import get
from tests.service.process.running_service import TIMEOUT, Service, running_service, wait_until

CLIENTS = 10
PAGE = "/docs"  # the largest response


def unsent_bytes(port: int) -> list[int]:
    """Return the bytes in the kernel's send queue of each connection of a port."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(queues.partition(":")[0], 16) for _, local, _, _, queues, *_ in lines if local.endswith(f":{port:04X}")]


def page_size(service: Service) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=TIMEOUT)
    connection.request("GET", PAGE)
    response = connection.getresponse()
    size = len(response.read()) if response.status == 200 else 0
    connection.close()
    return size


def test_the_kernel_keeps_little_for_a_client_that_does_not_read(tmp_path: Path) -> None:
    """Queue a small part of the page for each client that asks for it and reads nothing."""
    with running_service(tmp_path / "log") as service, ExitStack() as stack:
        size = page_size(service)
        if size == 0:
            pytest.skip("offapi is not installed, so there is no large response")
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", service.port))
            client.sendall(get(PAGE))
        wait_until(lambda: sum(queued > 0 for queued in unsent_bytes(service.port)) == CLIENTS)
        assert max(unsent_bytes(service.port)) < 4 * MAX_UNSENT_BYTES < size / 4
