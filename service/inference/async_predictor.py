"""Predictions on an event loop: inline, batched or in a thread, whichever answers first without blocking the loop."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from service.errors import RequestError
from service.imaging.buffers import Buffer
from service.imaging.cost import MAX_CHEAP_PIXELS
from service.imaging.decode import EncodedImage
from service.inference.batch_limit import BatchLimit
from service.inference.batcher import Batcher
from service.inference.chunks import CHUNK_SIZE, decode_bytes, split_batch
from service.inference.classifier import Prediction
from service.inference.in_flight import InFlight
from service.inference.isolation import release_frames
from service.inference.memory_pool import MemoryPool
from service.inference.predictor import Predictor
from service.inference.reading import FirstReading, Reading
from service.inference.tensors import Images

MAX_INLINE_BATCH = 32
"""Cheap images per event-loop iteration: about ten milliseconds, a few times that for the worst."""

MAX_INLINE_PIXELS = 4 * MAX_CHEAP_PIXELS
"""Pixels of these images, for the same reason."""

MAX_INLINE_BYTES = 32_768
"""Larger files are opened in a thread: reading their structure takes milliseconds."""

MAX_INLINE_IMAGES = 8
"""More standardized images are classified in a thread: it takes milliseconds."""

Result = TypeVar("Result")


class AsyncPredictor:
    """Runs a predictor for concurrent requests.

    A cheap image runs on the event loop, because handing it to a thread would take longer than the prediction: inline
    if its request is the only one in flight, otherwise in a batch with the others. Expensive images and client-side
    batches run in a thread pool, so that the loop stays responsive, and within a budget of decoding memory. So do the
    alternatives of a doubtful first reading.
    """

    def __init__(self, predictor: Predictor, in_flight: InFlight, threads: int, decoding: MemoryPool) -> None:
        """Use `threads` threads, and `decoding` for the memory of expensive images."""
        self._predictor = predictor
        self._in_flight = in_flight
        self._batcher = Batcher(predictor.begin_batch, MAX_INLINE_BATCH, MAX_INLINE_PIXELS, predictor.stages)
        self._threads = ThreadPoolExecutor(threads, "predictor")
        self._decoding = decoding

    async def predict(self, image_bytes: Buffer) -> Prediction:
        """Predict the digit of one PNG or JPEG file.

        Raises ImageError if no digit can be read from it, and OverloadedError if no memory becomes free in time.
        """
        return (await self.read(image_bytes)).prediction

    async def read(self, image_bytes: Buffer) -> Reading:
        """Predict the digit of one file, and say what the network saw and where. Raises as `predict` does."""
        image = await self._open(image_bytes)
        if not image.is_cheap:
            return await self._run_reserved(image, lambda: self._predictor.finish(self._predictor.begin(image)))
        first = await self._begin(image)
        return await self._run(lambda: self._predictor.finish(first)) if first.is_doubtful else first.settle()

    async def read_number(self, image_bytes: Buffer) -> list[Reading]:
        """Read the digits of a line, from left to right, in a thread. Raises as `predict` does."""
        image = await self._open(image_bytes)
        return await self._run_reserved(image, lambda: self._predictor.read_number(image))

    async def _open(self, image_bytes: Buffer) -> EncodedImage:
        if len(image_bytes) <= MAX_INLINE_BYTES:
            return self._predictor.open(image_bytes)
        return await self._run(lambda: self._predictor.open(image_bytes))

    async def _run_reserved(self, image: EncodedImage, work: Callable[[], Result]) -> Result:
        """Run work in a thread while the memory that decoding takes is reserved."""
        async with self._decoding.reserve(image.decode_bytes):
            return await self._run(work)

    async def _begin(self, image: EncodedImage) -> FirstReading:
        """Read a cheap image for the first time, on the event loop."""
        if self._in_flight.count == 1 and self._batcher.is_empty:
            return self._predictor.begin(image)
        return await self._batcher.predict(image)

    async def predict_batch(self, files: Sequence[Buffer | RequestError]) -> list[Prediction | RequestError]:
        """Predict the digits of several files. Returns one result per file, in order; an error for an invalid file.

        Between two chunks, and two doubtful images, a thread is free for other requests. Raises OverloadedError if no
        memory becomes free in time.
        """
        limit = BatchLimit()
        images = limit.limit_decoding(await self._run(partial(self._predictor.open_batch, files)))
        results: list[Prediction | RequestError] = []
        for chunk in split_batch(images):
            async with self._decoding.reserve(max(map(decode_bytes, chunk))):
                firsts = await self._run(partial(self._predictor.begin_batch, chunk))
                results += [await self._finish_in_batch(first, limit) for first in firsts]
        return results

    async def _finish_in_batch(
        self, first: FirstReading | RequestError, limit: BatchLimit
    ) -> Prediction | RequestError:
        """Return the result for one image of a batch, after its alternatives if it may be doubtful."""
        if isinstance(first, RequestError):
            return first
        if first.is_final:
            return first.settle().prediction
        try:
            return (await self._run(partial(self._finish_within, limit, first))).prediction
        except RequestError as error:
            return release_frames(error)

    def _finish_within(self, limit: BatchLimit, first: FirstReading) -> Reading:
        if first.is_doubtful:
            limit.check_alternatives(first)
        return self._predictor.finish(first)

    async def classify(self, images: Images) -> list[Prediction]:
        """Classify float32 (N, 1, 28, 28), standardized. Returns N predictions in order.

        Raises RequestError if a logit is not finite, because an image has extreme values.
        """
        if len(images) <= MAX_INLINE_IMAGES:
            return _check_finite(self._predictor.classify(images))
        results: list[Prediction] = []
        for start in range(0, len(images), CHUNK_SIZE):  # between two chunks, the thread is free for other requests
            chunk = images[start : start + CHUNK_SIZE]
            results += await self._run(partial(self._predictor.classify, chunk))
        return _check_finite(results)

    def close(self) -> None:
        """Drop the predictions that are queued, and end each thread after the one that it runs. Does not wait."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], Result]) -> Result:
        """Run work in a thread. If the request is cancelled, drop work that has not started, and wait for the rest.

        Running work cannot be stopped, and its memory must stay reserved until it ends.
        """
        job = self._threads.submit(self._time_queue, time.perf_counter(), work)
        future = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not job.cancel():
                await asyncio.gather(future, return_exceptions=True)
            raise

    def _time_queue(self, queued: float, work: Callable[[], Result]) -> Result:
        """Count the time for which work waited for this thread. Then do it, and return its result."""
        self._predictor.stages.observe("queue", time.perf_counter() - queued)
        return work()


def _check_finite(predictions: list[Prediction]) -> list[Prediction]:
    if not all(math.isfinite(logit) for prediction in predictions for logit in prediction.logits):
        raise RequestError(
            "The data of input 'image' has values so large that the network's output is not finite. Standardize the"
            " images."
        )
    return predictions
