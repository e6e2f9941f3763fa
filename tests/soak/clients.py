"""The clients of the soak: good, bad, slow and vanishing ones."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.service.process.connection import Response, get, post_head
from tests.soak.connection import Connection
from tests.soak.record import Record
from tests.soak.traffic import Exchange

TIMEOUT = 60.0
"""Seconds within which a request must be answered, all attempts together."""

KEEP_SECONDS = 2.0
"""Seconds after which a kept connection is not used again. The server closes idle ones after five."""

KEEP_SHARE = 0.8
"""Share of the requests after which a connection is kept."""

PIECES, PIECE_PAUSE = 10, 0.1
"""Pieces of a slow upload, and seconds between them."""


class Client:
    """A client that repeats one behavior. Its behaviors are the public methods without `run`."""

    def __init__(self, port: int, record: Record, exchanges: Sequence[Exchange], seed: int) -> None:
        """Draw from `exchanges`, always in the same order for one seed."""
        self._port = port
        self._record = record
        self._exchanges = exchanges
        self._random = random.Random(seed)
        self._deck: list[Exchange] = []
        self._kept: Connection | None = None

    async def run(self, behavior: Callable[["Client"], Awaitable[None]], until: float) -> None:
        """Repeat a behavior until a time of the record, then close the connection."""
        while self._record.now < until:
            try:
                async with asyncio.timeout(TIMEOUT):
                    await behavior(self)
            except TimeoutError:
                self._record.fail(f"{behavior.__name__}: no response within {TIMEOUT:g} s")
        self._close()

    async def ask(self) -> None:
        """Send a request and check its response."""
        await self._exchange(self._draw(), self._ask)

    async def ask_slowly(self) -> None:
        """Send a request in pieces."""
        await self._exchange(self._draw(), self._ask_slowly)

    async def look(self) -> None:
        """Look at the state of the service, as monitors do."""
        for path in ("/health", "/ready", "/model"):
            await self._exchange(Exchange(path, get(path)), self._ask)
        await asyncio.sleep(0.05)

    async def send_no_headers(self) -> None:
        """Begin a request but not end its headers: 408."""
        await self._exchange(Exchange("headers that stop", get("/health")[:-2], (408,)), self._ask_once)

    async def send_no_body(self) -> None:
        """Declare a body but send only a part: 408."""
        await self._exchange(Exchange("body that stops", post_head(100_000) + bytes(1_000), (408,)), self._ask_once)

    async def send_nothing(self) -> None:
        """Connect and wait until the server closes."""
        begun, connection = self._record.now, await Connection.open(self._port)
        try:
            received = await connection.read_to_end()
        except ConnectionError:
            received = b""
        connection.close()
        if received:
            self._record.fail(f"silent client received {received[:80]!r}")
        else:
            self._record.answer("silent", begun)

    async def vanish(self) -> None:
        """Send a whole request, two or a part, and be gone."""
        request = self._draw().request
        size = self._random.choice((len(request), len(request) // 2, 100, 10))
        data = self._random.choice((request[:size], request + request[:size]))
        connection = await Connection.open(self._port)
        try:
            async with asyncio.timeout(self._random.random()):
                await connection.send(data)
                await connection.read_to_end()
        except (ConnectionError, TimeoutError):
            pass
        self._random.choice((connection.close, connection.reset))()
        self._record.counts["vanished"] += 1

    def _draw(self) -> Exchange:
        """Return each exchange once, in random order, before any comes again."""
        if not self._deck:
            self._deck = self._random.sample(self._exchanges, len(self._exchanges))
        return self._deck.pop()

    async def _exchange(self, exchange: Exchange, ask: Callable[[bytes], Awaitable[Response]]) -> None:
        """Send a request until it gets another response than 503, and note whether that is a right one."""
        begun = self._record.now
        while True:
            try:
                response = await ask(exchange.request)
            except (OSError, EOFError) as error:
                self._close()
                if not self._record.may_break:
                    self._record.fail(f"{exchange.kind}: {error!r} for {exchange.request[:80]!r}")
                    return
                self._record.counts["again after a kill"] += 1
                await asyncio.sleep(0.1)
                continue
            if response.status != 503:
                break
            self._record.counts["again after 503"] += 1
            await asyncio.sleep(int(response.headers["retry-after"]))
        if exchange.is_answered_by(response):
            self._record.answer(exchange.kind, begun)
        else:
            shown = str(response.content)[:200]
            self._record.fail(f"{exchange.kind}: {response.status} {shown} for {exchange.request[:80]!r}")

    async def _ask(self, request: bytes, pieces: int = 1) -> Response:
        """Send a request on the kept connection or a fresh one, whole or in pieces."""
        connection = await self._connect()
        try:
            size = -(-len(request) // pieces)
            for start in range(0, len(request), size):
                await connection.send(request[start : start + size])
                await asyncio.sleep(PIECE_PAUSE if pieces > 1 else 0)
            response = await connection.receive()
        except BaseException:
            connection.close()
            raise
        self._kept = connection
        if response.closes or self._random.random() > KEEP_SHARE:
            self._close()
        return response

    async def _ask_slowly(self, request: bytes) -> Response:
        return await self._ask(request, PIECES)

    async def _ask_once(self, request: bytes) -> Response:
        self._close()
        return await self._ask(request)

    async def _connect(self) -> Connection:
        if self._kept is not None and asyncio.get_running_loop().time() - self._kept.used > KEEP_SECONDS:
            self._close()
        connection, self._kept = self._kept or await Connection.open(self._port), None
        return connection

    def _close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None
