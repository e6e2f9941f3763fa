"""An HTTP connection of a client of the soak: a plain socket of asyncio."""

import asyncio
import json
import socket
import struct

from tests.service.process.connection import Response


class Connection:
    """One HTTP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.used = asyncio.get_running_loop().time()

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to the service."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> Response:
        """Read one response. Raises EOFError if the connection ends before."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head[:-4].decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await self._reader.readexactly(int(headers["content-length"]))
        self.used = asyncio.get_running_loop().time()
        return Response(int(status.split()[1]), headers, json.loads(body))

    async def read_to_end(self) -> bytes:
        """Read whatever comes until the server closes."""
        return await self._reader.read()

    def close(self) -> None:
        """Close without waiting."""
        self._writer.close()

    def reset(self) -> None:
        """End the connection so that the server's next write fails."""
        handle: socket.socket = self._writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
