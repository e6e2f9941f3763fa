"""A predictor that records its calls, for the tests of the async predictor."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from service.errors import RequestError
from service.imaging.decode import EncodedImage
from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Classifier
from service.inference.in_flight import InFlight
from service.inference.memory_pool import MemoryPool
from service.inference.predictor import Predictor
from service.inference.reading import FirstReading, Reading

CAPACITY = 50_000_000
"""Bytes of memory for decoding."""


class RecordingPredictor(Predictor):
    """The real predictor, which also records each prediction: its method, its number of files and its thread."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__(classifier, max_decoded_bytes=CAPACITY)
        self.calls: list[tuple[str, int, str]] = []

    def begin(self, image: EncodedImage) -> FirstReading:
        self.calls.append(("begin", 1, threading.current_thread().name))
        return super().begin(image)

    def begin_batch(self, images: Sequence[EncodedImage | RequestError]) -> list[FirstReading | RequestError]:
        self.calls.append(("begin_batch", len(images), threading.current_thread().name))
        return super().begin_batch(images)

    def finish(self, first: FirstReading) -> Reading:
        self.calls.append(("finish", 1, threading.current_thread().name))
        return super().finish(first)


def run(
    classifier: Classifier,
    test: Callable[[AsyncPredictor, RecordingPredictor, InFlight], Coroutine[Any, Any, None]],
) -> None:
    """Run a test in a new event loop, with an async predictor of one thread around the real classifier."""

    async def with_predictor() -> None:
        recording, in_flight = RecordingPredictor(classifier), InFlight()
        predictor = AsyncPredictor(recording, in_flight, 1, MemoryPool(CAPACITY, timeout=30.0))
        async with asyncio.timeout(30):
            await test(predictor, recording, in_flight)
        predictor.close()

    asyncio.run(with_predictor())
