"""Micro-batching on the event loop, without a delay."""

import asyncio
from collections.abc import Callable, Sequence

from service.errors import RequestError
from service.inference.classifier import Prediction

Results = Sequence[Prediction | RequestError]


class Batcher:
    """Batches the requests of one event-loop iteration into one run of the model.

    Requests that arrive in one loop iteration run as one batch in the next. No request waits for others to arrive.
    Running each step for all of them keeps its code in the processor's caches, which halves the time per image under
    load.
    """

    def __init__(self, predict_batch: Callable[[list[bytes]], Results], max_size: int) -> None:
        """Batch up to `max_size` images per call of `predict_batch`."""
        self._predict_batch = predict_batch
        self._max_size = max_size
        self._queue: list[tuple[bytes, asyncio.Future[Prediction]]] = []

    @property
    def is_empty(self) -> bool:
        """Whether no image is queued."""
        return not self._queue

    async def predict(self, image_bytes: bytes) -> Prediction:
        """Queue one image and return its prediction. Raises the RequestError of this image."""
        loop = asyncio.get_running_loop()
        if self.is_empty:
            loop.call_soon(self._run_batch, loop)
        future: asyncio.Future[Prediction] = loop.create_future()
        self._queue.append((image_bytes, future))
        return await future

    def _run_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the next batch. Between two batches the loop iterates, so that other requests are served."""
        batch, self._queue = self._queue[: self._max_size], self._queue[self._max_size :]
        if self._queue:
            loop.call_soon(self._run_batch, loop)
        results = self._results([image_bytes for image_bytes, _ in batch])
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():  # the client has disconnected
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _results(self, images: list[bytes]) -> Sequence[Prediction | Exception]:
        try:
            return self._predict_batch(images)
        except Exception as error:  # every waiting request must be answered
            return [error] * len(images)
