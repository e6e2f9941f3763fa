"""Admit requests: only when the service is ready, within the memory budget, and within a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields

from starlette.requests import Request
from starlette.responses import Response

from service.errors import OverloadedError, UploadTooLargeError
from service.inference.memory_pool import MemoryPool
from service.inference.stages import StageMetrics
from service.settings import Settings
from service.web.readiness import Readiness

Endpoint = Callable[[Request], Awaitable[Response]]

DEFAULT_BUDGET = 256_000_000
"""Bytes, if neither a setting nor a memory limit says otherwise."""

SMALL_BODY = 65_536
"""Bytes. Bodies up to this size have a pool of their own, so they never wait behind larger ones."""

MAX_SMALL_BODIES = 2_000_000
"""Bytes for all small bodies at once."""


@dataclass(frozen=True)
class MemoryBudget:
    """The memory that all requests of a process may hold at once, in three pools.

    A request holds the bytes of its body until it is answered, and memory for decoding only while it decodes. A request
    that decodes waits for nothing else, so requests cannot block each other for ever.
    """

    small_bodies: MemoryPool
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
        largest_body = min(settings.max_upload_bytes, (budget - small) // 2)
        decoding = min(settings.max_decoded_bytes * max(1, settings.threads), budget - small - largest_body)
        sizes = (small, budget - small - decoding, decoding)
        return cls(*(MemoryPool(size, settings.queue_timeout, stages) for size in sizes))


class Admission:
    """Wraps the endpoints that take a body. refused: the requests whose body can never fit."""

    def __init__(self, settings: Settings, readiness: Readiness, budget: MemoryBudget) -> None:
        self._readiness = readiness
        self._budget = budget
        self._max_bytes = settings.max_upload_bytes
        self._timeout = settings.request_timeout
        self.refused = 0

    def admit(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint that runs `endpoint` once the memory for its body is reserved.

        Until then the body stays unread, so that TCP holds the sender back. Raises NotReadyError, UploadTooLargeError
        if the body can never fit, and OverloadedError if no memory becomes free or the deadline passes.
        """

        async def admitted(request: Request) -> Response:
            self._readiness.check()
            size = self._declared_size(request)
            pool = self._budget.small_bodies if size <= SMALL_BODY else self._budget.large_bodies
            self._check_size(size, pool)
            client = _client(request)
            try:
                async with asyncio.timeout(self._timeout):
                    await pool.acquire(size, client)
                    try:
                        return await endpoint(request)
                    finally:
                        pool.release(size, client)
            except TimeoutError as error:
                raise OverloadedError(
                    f"The request took longer than {self._timeout:g} s. Try again in a moment."
                ) from error

        return admitted

    def _declared_size(self, request: Request) -> int:
        """Return the size of the body: the largest allowed one if it is not declared."""
        declared = request.headers.get("content-length")
        return int(declared) if declared is not None else min(self._max_bytes, self._budget.large_bodies.capacity)

    def _check_size(self, size: int, pool: MemoryPool) -> None:
        if size > min(self._max_bytes, pool.capacity):
            self.refused += 1
        if size > self._max_bytes:
            raise UploadTooLargeError(f"The upload is larger than {self._max_bytes} bytes. Send a smaller file.")
        if size > pool.capacity:
            raise UploadTooLargeError(
                f"The upload has {size} bytes, and this service has memory for {pool.capacity}. Send a smaller file."
            )


def _client(request: Request) -> str:
    return (request.scope["client"] or ("",))[0]
