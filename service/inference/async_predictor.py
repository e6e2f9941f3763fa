"""Predictions on an event loop: inline, batched or in a thread, whichever answers first without blocking the loop."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from service.errors import RequestError
from service.imaging.decode import is_cheap_to_decode
from service.inference.batcher import Batcher
from service.inference.classifier import Prediction
from service.inference.in_flight import InFlight
from service.inference.predictor import Predictor

MAX_INLINE_BATCH = 32
"""Cheap images per event-loop iteration: about ten milliseconds."""


class AsyncPredictor:
    """Runs a predictor for concurrent requests.

    A cheap image runs on the event loop, because handing it to a thread would take longer than the prediction: inline
    if its request is the only one in flight, otherwise in a batch with the others. Expensive images and client-side
    batches run in a thread pool, so that the loop stays responsive.
    """

    def __init__(self, predictor: Predictor, in_flight: InFlight, threads: int) -> None:
        """Use `threads` threads for expensive images."""
        self._predictor = predictor
        self._in_flight = in_flight
        self._batcher = Batcher(predictor.predict_batch, MAX_INLINE_BATCH)
        self._threads = ThreadPoolExecutor(threads, "predictor")

    async def predict(self, image_bytes: bytes) -> Prediction:
        """Predict the digit of one PNG or JPEG file. Raises ImageError if no digit can be read from it."""
        if not is_cheap_to_decode(image_bytes):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._predictor.predict, image_bytes)
        if self._in_flight.count == 1 and self._batcher.is_empty:
            return self._predictor.predict(image_bytes)
        return await self._batcher.predict(image_bytes)

    async def predict_batch(self, files: Sequence[bytes | RequestError]) -> list[Prediction | RequestError]:
        """Predict the digits of several files. Returns one result per file, in order; an error for an invalid file."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._predictor.predict_batch, files)

    def close(self) -> None:
        """Finish the predictions that are running or queued, and end the threads."""
        self._threads.shutdown()
