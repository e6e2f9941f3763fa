"""A connection that is closed while its client sends is read on, and ended at the latest after a time."""

import asyncio

from service.process.linger import LingeringTransport


class ResetTransport(asyncio.Transport):
    """A transport whose client has reset the connection, which the event loop does not know yet."""

    def __init__(self) -> None:
        super().__init__()
        self.is_aborted = False

    def write(self, data: object) -> None:
        """Accept data, as a transport does until it learns of the reset."""

    def is_closing(self) -> bool:
        return self.is_aborted

    def write_eof(self) -> None:
        raise OSError(107, "Transport endpoint is not connected")

    def abort(self) -> None:
        self.is_aborted = True


def test_reset_connection_is_ended_at_once() -> None:
    """End a connection that cannot be half-closed, so that its descriptor is free."""

    async def close() -> bool:
        transport = ResetTransport()
        LingeringTransport(transport, asyncio.get_running_loop(), lambda: True).close()
        return transport.is_aborted

    assert asyncio.run(close())
