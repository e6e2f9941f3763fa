"""Close connections so that clients can still receive the last response."""

import asyncio
from collections.abc import Callable
from typing import Any

LINGER_SECONDS = 2.0
"""How long a connection is still read after its last response while nothing arrives."""

MAX_DROP_SECONDS = 30.0
"""How long a body, or what follows the last response, is read and dropped."""

MAX_DROPPED_BYTES = 40_000_000
"""How much of it is read and dropped."""


class LingeringTransport:
    """A transport whose `close` first half-closes the connection if the client still sends, and drops what arrives.

    A connection that is closed with unread data is reset, and its client may lose the response.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, is_client_sending: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._is_client_sending = is_client_sending
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._dropped_bytes = 0
        self.is_lingering = False
        self.write = transport.write  # called for every response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return whether nothing more may be written."""
        return self.is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close the connection, or linger until the client has closed it or is silent for LINGER_SECONDS."""
        if self.is_closing():
            return
        if not self._is_client_sending():
            self._transport.close()
            return
        self.is_lingering = True
        self._deadline = self._loop.time() + MAX_DROP_SECONDS
        try:
            self._transport.write_eof()
        except OSError:  # the client has reset the connection
            self._transport.abort()
            return
        self._transport.resume_reading()
        self._restart_timer()

    def drop(self, size: int) -> None:
        """Count bytes that have arrived and are ignored. Abort the connection beyond MAX_DROPPED_BYTES."""
        self._dropped_bytes += size
        if self._dropped_bytes > MAX_DROPPED_BYTES:
            self._transport.abort()
        elif self.is_lingering:
            self._restart_timer()

    def reset_dropped(self) -> None:
        """Count from zero for the next request."""
        self._dropped_bytes = 0

    def _restart_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        silence_end = self._loop.time() + LINGER_SECONDS
        self._timer = self._loop.call_at(min(silence_end, self._deadline), self._transport.abort)
