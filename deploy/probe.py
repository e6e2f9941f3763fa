"""The image's health check: exit with 0 if GET /health responds with 200.

Run it with `python3 -I -S -E`. It imports only what the interpreter has already loaded, and the built-in socket module:
the standard `socket` and `http.client` would take three times the CPU.
"""

import os
import sys
from _socket import AF_INET, AF_INET6, SOCK_STREAM, socket

TIMEOUT = 9
"""Seconds. One less than the timeout of the image's HEALTHCHECK."""

LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - which address reaches which HOST
REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def main() -> None:
    """Ask the service at HOST and PORT, the settings that it reads itself."""
    host = os.environ.get("HOST", "")
    address = LOOPBACK.get(host, host)
    connection = socket(AF_INET6 if ":" in address else AF_INET, SOCK_STREAM)
    connection.settimeout(TIMEOUT)
    connection.connect((address, int(os.environ.get("PORT") or 8000)))
    connection.sendall(REQUEST)
    sys.exit(not connection.recv(64).startswith(b"HTTP/1.1 200 "))


if __name__ == "__main__":
    main()
