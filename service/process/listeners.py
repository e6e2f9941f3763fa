"""Listening sockets: opened on one port that they share, and closed without losing a connection."""

import ctypes
import socket
import struct

from service.errors import SettingError

BACKLOG = 2048
MAX_ACCEPTS = 16
"""Connections that asyncio accepts in one iteration of its loop. More would stop the loop for a second when thousands
come at once, and take all descriptors before the first of them can be closed."""

MAX_UNSENT_BYTES = 65_536
SO_ATTACH_FILTER = 26
DROP_SYN = (
    (0x30, 0, 0, 13),  # load the flags of the TCP header
    (0x45, 0, 1, 0x02),  # skip one instruction unless SYN is set
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # keep the packet
)
"""A program of the kernel's packet filter: code, jump if true, jump if false, constant."""


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """Open `count` sockets on one port; the kernel spreads connections over them.

    Raises SettingError if the address is invalid or taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:  # a port that another process shares would be shared with it silently
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        return [_open_listener(family, host, port) for _ in range(count)]
    except OSError as error:
        raise SettingError(
            f"HOST={host!r} PORT={port}: {str(error.strerror).lower()}. Choose another HOST or PORT."
        ) from error


def lengthen_backlog(listener: socket.socket) -> None:
    """Let BACKLOG connections wait in the kernel. asyncio itself takes the backlog for the connections to accept."""
    with listener.dup() as copy:
        copy.listen(BACKLOG)


def limit_unsent(listener: socket.socket) -> None:
    """Limit the bytes that the kernel keeps for a client that does not read: by default up to 4 MB per connection."""
    with listener.dup() as copy:  # its connections inherit the option
        copy.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)


def stop_connections(listener: socket.socket) -> None:
    """Let the kernel drop new connections, while those that have begun can still be accepted.

    The kernel resets what is in the backlog of a listener that is closed. A client whose SYN is dropped sends it again
    after a second, to another listener of the port, or it is refused.
    """
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in DROP_SYN))
    option = struct.pack("HP", len(DROP_SYN), ctypes.addressof(program))
    with listener.dup() as copy:
        try:
            copy.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, option)
        except OSError:  # the sandbox has no packet filters: keep the backlog short
            copy.listen(0)


def _open_listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY. Otherwise small responses wait 40 ms for Nagle's algorithm.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)  # connections that come before the workers are running wait here
    return listener
