"""A request is admitted if the service is ready and memory for its body is free; until then its body stays unread."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import fields
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message

from service.errors import NotReadyError, OverloadedError, UploadTooLargeError
from service.inference.classifier import Classifier
from service.settings import Settings
from service.web.admission import (
    DEFAULT_BUDGET,
    MAX_UNSIZED_BODIES,
    SMALL_BODY,
    UNSIZED_BODY,
    Admission,
    MemoryBudget,
)
from service.web.readiness import Readiness, State
from tests.conftest import make_app
from tests.images import DIGIT, SEVEN, encode

LARGE = SMALL_BODY + 1


class Service:
    """An admission around an endpoint that reads bodies and then waits for permission to respond."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**{"memory_budget": 2_000_000, **settings})
        self.budget = MemoryBudget.from_settings(self.settings)
        self.readiness = Readiness()
        self.readiness.state = State.READY
        self.may_respond = asyncio.Event()
        self.read: list[str] = []
        self.post = Admission(self.settings, self.readiness, self.budget).admit(self._respond)

    async def _respond(self, request: Request) -> Response:
        await request.body()
        self.read.append(request.scope["client"][0])
        await self.may_respond.wait()
        return Response()

    @property
    def used(self) -> tuple[int, int]:
        """The memory that small and large bodies hold."""
        return self.budget.small_bodies.used, self.budget.large_bodies.used


def request(size: int | None, client: str = "client", pieces: Sequence[bytes] = (b"",)) -> Request:
    """Return a request that declares a size, or none, and whose body arrives in pieces."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    arriving = iter(messages)

    async def receive() -> Message:
        return next(arriving)

    headers = [] if size is None else [(b"content-length", str(size).encode())]
    return Request({"type": "http", "method": "POST", "headers": headers, "client": (client, 1)}, receive)


def run(test: Callable[[Service], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """Run a test in a new event loop. No memory may be held at its end."""

    async def with_service() -> None:
        service = Service(**settings)
        async with asyncio.timeout(30):
            await test(service)
        assert service.used == (0, 0)

    asyncio.run(with_service())


async def post_all(service: Service, *requests: Request) -> list["asyncio.Task[Response]"]:
    """Start requests in order, and run until they wait."""
    tasks = [asyncio.ensure_future(service.post(request)) for request in requests]
    for _ in range(10):
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize("budget", [0, 1_000, 1_000_000, 20_000_000, 80_000_000, 1_000_000_000])
@pytest.mark.parametrize("threads", [0, 1, 8])
@pytest.mark.parametrize("max_upload_bytes", [1_000, 10_000_000])
def test_budget_is_divided_into_pools(budget: int, threads: int, max_upload_bytes: int) -> None:
    """Give every pool some memory, and together no more than the budget."""
    settings = Settings(memory_budget=budget, threads=threads, max_upload_bytes=max_upload_bytes)
    pools = MemoryBudget.from_settings(settings)
    sizes = [getattr(pools, field.name).capacity for field in fields(pools)]
    assert sum(sizes) == (budget or DEFAULT_BUDGET)
    assert min(sizes) > 0


def test_default_budget_holds_the_largest_upload_and_its_decoding() -> None:
    """Divide the default budget so that an image of the largest size is read."""
    settings = Settings()
    pools = MemoryBudget.from_settings(settings)
    assert pools.large_bodies.capacity >= settings.max_upload_bytes
    assert pools.decoding.capacity >= settings.max_decoded_bytes


@pytest.mark.parametrize("size", [0, 1, SMALL_BODY, LARGE])
def test_body_is_reserved_until_the_response(size: int) -> None:
    """Hold the declared size in the pool of its kind from before the body is read until the response."""

    async def test(service: Service) -> None:
        (task,) = await post_all(service, request(size))
        assert service.read == ["client"]
        assert service.used == ((size, 0) if size <= SMALL_BODY else (0, size))
        service.may_respond.set()
        assert (await task).status_code == 200

    run(test)


def test_body_of_unknown_size_counts_as_small_until_it_is_not() -> None:
    """Reserve memory for a small body at first, and for the largest once more than SMALL_BODY bytes have arrived."""

    async def test(service: Service) -> None:
        unsized = service.budget.unsized_bodies
        small, large = await post_all(
            service,
            request(None, "small", [bytes(SMALL_BODY)]),
            request(None, "large", [bytes(SMALL_BODY), b"1", b"2"]),
        )
        largest = min(service.settings.max_upload_bytes, service.budget.large_bodies.capacity)
        assert (unsized.used, service.used) == (min(2 * UNSIZED_BODY, unsized.capacity), (0, largest))
        assert service.read == ["small", "large"]
        service.may_respond.set()
        await asyncio.gather(small, large)
        assert unsized.used == 0

    for max_upload_bytes in (100_000, 10_000_000):
        run(test, max_upload_bytes=max_upload_bytes, memory_budget=20_000_000)


def test_bodies_of_unknown_size_that_grow_at_once_do_not_block_each_other() -> None:
    """Read every body, one after another where only one fits, however many have begun."""

    async def test(service: Service) -> None:
        service.may_respond.set()
        count = 3 * MAX_UNSIZED_BODIES
        bodies = (request(None, str(number), [bytes(SMALL_BODY), b"1", b"2"]) for number in range(count))
        tasks = await post_all(service, *bodies)
        await asyncio.gather(*tasks)
        assert len(service.read) == count
        assert service.budget.unsized_bodies.used == 0

    run(test)


def test_small_bodies_do_not_wait_for_bodies_of_unknown_size() -> None:
    """Admit a body that declares a small size while bodies of unknown size wait for memory."""

    async def test(service: Service) -> None:
        large = (request(None, str(number), [bytes(LARGE)]) for number in range(2 * MAX_UNSIZED_BODIES))
        tasks = await post_all(service, *large, request(100, "small"))
        assert service.read == ["0", "small"]
        service.may_respond.set()
        await asyncio.gather(*tasks)

    run(test)


def test_body_that_does_not_fit_now_stays_unread() -> None:
    """Leave the body of a waiting request unread, and read it when the memory is free."""

    async def test(service: Service) -> None:
        size = service.budget.large_bodies.capacity
        first, second = await post_all(service, request(size, "first"), request(LARGE, "second"))
        assert service.read == ["first"]
        service.may_respond.set()
        await asyncio.gather(first, second)
        assert service.read == ["first", "second"]

    run(test)


def test_small_bodies_do_not_wait_for_large_ones() -> None:
    """Admit a small body while all memory for large ones is taken."""

    async def test(service: Service) -> None:
        size = service.budget.large_bodies.capacity
        tasks = await post_all(service, *(request(n, str(n)) for n in (size, size, 100)))
        assert service.read == [str(size), "100"]
        service.may_respond.set()
        await asyncio.gather(*tasks)

    run(test)


def test_client_does_not_keep_others_out() -> None:
    """Admit another client before more requests of a client that holds half of the memory."""

    async def test(service: Service) -> None:
        half = service.budget.large_bodies.capacity // 2
        tasks = await post_all(service, *(request(half, "greedy") for _ in range(4)), request(half, "modest"))
        assert service.read == ["greedy", "greedy"]
        service.may_respond.set()
        await asyncio.gather(*tasks)
        assert service.read.index("modest") < len(service.read) - 1

    run(test)


@pytest.mark.parametrize(
    ("size", "detail"),
    [
        (10_000_001, r"The upload is larger than 10000000 bytes\. Send a smaller file, or fewer files\."),
        (
            10_000_000,
            r"has 10000000 bytes, and this service has memory for \d+\. Send a smaller file, or fewer files\.",
        ),
    ],
)
def test_body_that_can_never_fit_is_rejected_at_once(size: int, detail: str) -> None:
    """Reject a body that is larger than the limit or than the memory, and name the sizes."""

    async def test(service: Service) -> None:
        with pytest.raises(UploadTooLargeError, match=detail):
            await service.post(request(size))
        assert service.read == []

    run(test)


def test_request_that_waits_too_long_is_rejected() -> None:
    """Raise OverloadedError if no memory becomes free within QUEUE_TIMEOUT, without reading the body."""

    async def test(service: Service) -> None:
        first, second = await post_all(service, request(service.budget.large_bodies.capacity), request(LARGE))
        with pytest.raises(OverloadedError, match=r"no memory became free within 0\.05 s"):
            await second
        service.may_respond.set()
        await first
        assert service.read == ["client"]

    run(test, queue_timeout=0.05)


def test_request_has_a_deadline() -> None:
    """Raise OverloadedError if a request is not answered within REQUEST_TIMEOUT, and release its memory."""

    async def test(service: Service) -> None:
        with pytest.raises(OverloadedError, match=r"The request took longer than 0\.05 s\. Try again in a moment\."):
            await service.post(request(LARGE))
        assert service.read == ["client"]

    run(test, request_timeout=0.05)


@pytest.mark.parametrize("size", [1, LARGE])
def test_request_that_is_cancelled_releases_its_memory(size: int) -> None:
    """Release the memory of a request whose client has gone."""

    async def test(service: Service) -> None:
        (task,) = await post_all(service, request(size))
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run(test)


@pytest.mark.parametrize("state", [State.STARTING, State.DRAINING])
def test_service_that_is_not_ready_admits_nothing(state: State) -> None:
    """Raise NotReadyError before anything else, also for a body that is too large."""

    async def test(service: Service) -> None:
        service.readiness.state = state
        for size in (1, LARGE, 10**12):
            with pytest.raises(NotReadyError):
                await service.post(request(size))
        assert service.read == []

    run(test)


@pytest.mark.parametrize(("size", "status"), [(200_000, 200), (900_000, 413)])
def test_app_responds_within_its_memory(classifier: Classifier, size: int, status: int) -> None:
    """Read an image whose bytes fit into the budget, and respond with 413 to one whose bytes do not."""
    content = encode(SEVEN).ljust(size, b"\0")
    with TestClient(make_app(classifier, memory_budget=1_000_000)) as client:
        response = client.post("/predict", content=content)
    assert response.status_code == status
    assert response.json().get("digit") == (DIGIT if status == 200 else None)
