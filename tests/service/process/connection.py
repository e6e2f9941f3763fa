"""A connection on which a test sends any bytes, and reads responses one by one."""

import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.service.process.running_service import PNG, TIMEOUT


@dataclass(frozen=True)
class Response:
    """A response: its status, its headers with names in lower case, and its JSON (None if it has no body)."""

    status: int
    headers: dict[str, str]
    content: Any

    @property
    def closes(self) -> bool:
        """Whether the response announces the end of its connection."""
        return self.headers.get("connection") == "close"


class Connection:
    """A socket, and what it has received beyond the last response."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._received = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def ask(self, data: bytes) -> Response:
        """Send bytes and read one response."""
        self.send(data)
        return self.receive()

    def receive(self) -> Response:
        """Read one response."""
        while b"\r\n\r\n" not in self._received:
            self._receive_more()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._received) < length:
            self._receive_more()
        body, self._received = self._received[:length], self._received[length:]
        return Response(int(status.split()[1]), headers, json.loads(body) if body else None)

    def is_at_end(self) -> bool:
        """Wait until the server closes the connection. Return whether nothing else came before."""
        try:
            return not self._received and self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _receive_more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, f"the connection ended after {self._received!r}"
        self._received += data


def get(path: str, headers: str = "") -> bytes:
    """Return a GET request. headers: lines that end in CRLF."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()


def post_head(length: int, headers: str = "", path: str = "/predict") -> bytes:
    """Return the head of a POST request that declares a PNG file of so many bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n{headers}\r\n"
    return head.encode()


POST = post_head(len(PNG)) + PNG
"""A request that predicts a digit."""
