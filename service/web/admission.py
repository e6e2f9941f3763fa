"""Admit requests: only when the service is ready, within the memory budget, and within a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from service.errors import OverloadedError, UploadTooLargeError
from service.inference.memory_pool import MemoryPool
from service.inference.stages import StageMetrics
from service.settings import Settings
from service.web.body import upload_too_large
from service.web.readiness import Readiness

Endpoint = Callable[[Request], Awaitable[Response]]

DEFAULT_BUDGET = 256_000_000
"""Bytes, if neither a setting nor a memory limit says otherwise."""

SMALL_BODY = 65_536
"""Bytes. Bodies up to this size have a pool of their own, so they never wait behind larger ones."""

MAX_SMALL_BODIES = 1_000_000
"""Bytes for all small bodies at once."""

UNSIZED_BODY = 2 * SMALL_BODY
"""Bytes that a body without Content-Length takes at first: a small body, and what arrives before reading pauses."""

MAX_UNSIZED_BODIES = 4
"""Bodies without Content-Length that may be small, at once."""


@dataclass(frozen=True)
class MemoryBudget:
    """The memory that all requests of a process may hold at once, in four pools.

    A request holds the bytes of its body until it is answered, and memory for decoding only while it decodes. It takes
    from the pools in the order of their fields, so requests cannot block each other for ever.
    """

    small_bodies: MemoryPool
    unsized_bodies: MemoryPool
    large_bodies: MemoryPool
    decoding: MemoryPool

    @property
    def pools(self) -> dict[str, MemoryPool]:
        """The pools by name, for metrics."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_settings(cls, settings: Settings, stages: StageMetrics | None = None) -> "MemoryBudget":
        """Divide the budget. Decoding gets what its threads may need, as far as one largest upload fits beside it."""
        budget = settings.memory_budget or DEFAULT_BUDGET
        small = min(MAX_SMALL_BODIES, budget // 8)
        unsized = min(MAX_UNSIZED_BODIES * UNSIZED_BODY, budget // 8)
        rest = budget - small - unsized
        largest_body = min(settings.max_upload_bytes, rest // 2)
        decoding = min(settings.max_decoded_bytes * max(1, settings.threads), rest - largest_body)
        sizes = (small, unsized, rest - decoding, decoding)
        return cls(*(MemoryPool(size, settings.queue_timeout, stages) for size in sizes))


class Admission:
    """Wraps the endpoints that take a body.

    max_body_bytes: the largest body that the settings and the memory allow. refused: the requests that declare a body
    of at most MAX_UPLOAD_BYTES for which there is too little memory, however long they wait.
    """

    def __init__(self, settings: Settings, readiness: Readiness, budget: MemoryBudget) -> None:
        self._readiness = readiness
        self._budget = budget
        self._max_upload_bytes = settings.max_upload_bytes
        self.max_body_bytes = min(settings.max_upload_bytes, budget.large_bodies.capacity)
        self._timeout = settings.request_timeout
        self.refused = 0

    def admit(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint that runs `endpoint` once the memory for its body is reserved.

        Until then the body stays unread, so that TCP holds the sender back. Raises NotReadyError, UploadTooLargeError
        if the body can never fit, and OverloadedError if no memory becomes free or the deadline passes.
        """

        async def admitted(request: Request) -> Response:
            self._readiness.check()
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._admit(endpoint, request)
            except TimeoutError as error:
                raise OverloadedError(
                    f"The request took longer than {self._timeout:g} s. Try again in a moment."
                ) from error

        return admitted

    def _admit(self, endpoint: Endpoint, request: Request) -> Awaitable[Response]:
        declared = request.headers.get("content-length")
        if declared is None:
            return self._admit_unsized(endpoint, request)
        return self._admit_sized(endpoint, request, int(declared))

    async def _admit_sized(self, endpoint: Endpoint, request: Request, size: int) -> Response:
        pool = self._budget.small_bodies if size <= SMALL_BODY else self._budget.large_bodies
        self._check_size(size, pool)
        client = _client(request)
        await pool.acquire(size, client)  # without a context manager, which would cost microseconds
        try:
            return await endpoint(request)
        finally:
            pool.release(size, client)

    async def _admit_unsized(self, endpoint: Endpoint, request: Request) -> Response:
        unsized, large = self._budget.unsized_bodies, self._budget.large_bodies
        first = min(UNSIZED_BODY, unsized.capacity)
        client = _client(request)
        async with unsized.reserve(first, client), AsyncExitStack() as growth:
            body = UnsizedBody(request, lambda: growth.enter_async_context(large.reserve(self.max_body_bytes, client)))
            return await endpoint(Request(request.scope, body.receive))

    def _check_size(self, size: int, pool: MemoryPool) -> None:
        if size > self._max_upload_bytes:
            raise upload_too_large(self._max_upload_bytes)
        if size > pool.capacity:
            self.refused += 1
            raise UploadTooLargeError(
                f"The upload has {size} bytes, and this service has memory for {pool.capacity}."
                " Send a smaller file, or fewer files."
            )


class UnsizedBody:
    """A body without Content-Length: it counts as small until it is not, and from then on as the largest.

    To grow step by step would need a proof at each step that one of the bodies can still become complete. One step
    needs none: a body that waits for memory holds none of the pool that it waits for.
    """

    def __init__(self, request: Request, grow: Callable[[], Awaitable[None]]) -> None:
        """Call `grow` once, before more than SMALL_BODY bytes are kept."""
        self._receive = request.receive
        self._grow = grow
        self._size = 0
        self._is_large = False

    async def receive(self) -> Message:
        """Receive the next message of the request."""
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > SMALL_BODY and not self._is_large:
            await self._grow()
            self._is_large = True
        return message


def _client(request: Request) -> str:
    return (request.scope["client"] or ("",))[0]
