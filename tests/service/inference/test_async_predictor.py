"""A cheap image runs inline if its request is the only one, otherwise in a batch; expensive ones run in a thread."""

import asyncio
import threading

import pytest
from PIL import Image

from service.errors import ImageError, OverloadedError
from service.imaging.buffers import Buffer
from service.imaging.decode import EncodedImage
from service.inference.async_predictor import MAX_INLINE_BYTES, AsyncPredictor
from service.inference.classifier import Classifier, Prediction
from service.inference.in_flight import InFlight
from service.inference.memory_pool import MemoryPool
from service.inference.predictor import Predictor
from service.inference.reading import FirstReading
from tests.images import DIGIT, SEVEN, encode, half_inverted
from tests.service.inference.recording_predictor import CAPACITY, RecordingPredictor, run

CHEAP = encode(SEVEN)
EXPENSIVE = encode(SEVEN.resize((1200, 1200)))
HALF_INVERTED = encode(half_inverted(SEVEN))
BLANK = encode(Image.new("L", (28, 28)))


class BlockingPredictor(RecordingPredictor):
    """A predictor whose threads wait until they are released."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__(classifier)
        self.is_blocked, self.release = threading.Event(), threading.Event()

    def begin(self, image: EncodedImage) -> FirstReading:
        if threading.current_thread() is not threading.main_thread():
            self.is_blocked.set()
            assert self.release.wait(30)
        return super().begin(image)


def test_only_request_in_flight_runs_inline(classifier: Classifier) -> None:
    """Return, or raise, in the first step of the coroutine, without giving control back to the event loop."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        in_flight.begin()
        with pytest.raises(StopIteration) as end:
            predictor.predict(CHEAP).send(None)
        assert end.value.value.digit == DIGIT
        with pytest.raises(ImageError, match="no digit found"):
            predictor.predict(BLANK).send(None)
        assert recording.calls == [("begin", 1, "MainThread")] * 2

    run(classifier, test)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_concurrent_requests_run_as_one_batch(classifier: Classifier, count: int) -> None:
    """Batch the images of an iteration on the event loop, unless exactly one request is in flight."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        for _ in range(count):
            in_flight.begin()
        first, second, error = await asyncio.gather(
            predictor.predict(CHEAP), predictor.predict(CHEAP), predictor.predict(BLANK), return_exceptions=True
        )
        assert isinstance(first, Prediction)
        assert first == second
        assert first.digit == DIGIT
        assert isinstance(error, ImageError)
        assert recording.calls == [("begin_batch", 3, "MainThread")]

    run(classifier, test)


def test_image_joins_a_queue_that_is_not_empty(classifier: Classifier) -> None:
    """Queue an image behind others even if its request is the only one that is still in flight."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        queued = asyncio.ensure_future(predictor.predict(CHEAP))
        await asyncio.sleep(0)
        in_flight.begin()
        assert (await predictor.predict(CHEAP)).digit == (await queued).digit == DIGIT
        assert recording.calls[0] == ("begin_batch", 2, "MainThread")

    run(classifier, test)


def test_expensive_image_runs_in_a_thread(classifier: Classifier) -> None:
    """Predict an expensive image in a thread, even if its request is the only one, and raise its error."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        in_flight.begin()
        assert (await predictor.predict(EXPENSIVE)).digit == DIGIT
        assert recording.calls == [("begin", 1, "predictor_0"), ("finish", 1, "predictor_0")]
        with pytest.raises(ImageError, match="damaged or truncated"):
            await predictor.predict(EXPENSIVE[:-100])
        assert recording.calls[2:] == [("begin", 1, "predictor_0")]

    run(classifier, test)


def test_doubtful_image_is_reconsidered_in_a_thread(classifier: Classifier) -> None:
    """Read a cheap image on the event loop for the first time, and its alternatives in a thread."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        in_flight.begin()
        assert (await predictor.predict(HALF_INVERTED)).digit == DIGIT
        assert recording.calls == [("begin", 1, "MainThread"), ("finish", 1, "predictor_0")]

    run(classifier, test)


def test_cheap_image_does_not_wait_for_an_expensive_one(classifier: Classifier) -> None:
    """Respond to a cheap image while every thread is busy."""

    async def test() -> None:
        blocking = BlockingPredictor(classifier)
        predictor = AsyncPredictor(blocking, InFlight(), 1, MemoryPool(CAPACITY, timeout=30.0))
        expensive = asyncio.ensure_future(predictor.predict(EXPENSIVE))
        while not blocking.is_blocked.is_set():
            await asyncio.sleep(0.01)
        assert (await predictor.predict(CHEAP)).digit == DIGIT
        assert not expensive.done()
        blocking.release.set()
        assert (await expensive).digit == DIGIT
        predictor.close()

    asyncio.run(test())


@pytest.mark.parametrize("size", [MAX_INLINE_BYTES, MAX_INLINE_BYTES + 1])
def test_large_file_is_opened_in_a_thread(classifier: Classifier, size: int) -> None:
    """Read the structure of a file of more than MAX_INLINE_BYTES in a thread."""

    class OpeningPredictor(RecordingPredictor):
        def open(self, image_bytes: Buffer) -> EncodedImage:
            threads.append(threading.current_thread().name)
            return super().open(image_bytes)

    async def test() -> None:
        predictor = AsyncPredictor(OpeningPredictor(classifier), InFlight(), 1, MemoryPool(CAPACITY, timeout=30.0))
        assert (await predictor.predict(CHEAP.ljust(size, b"x"))).digit == DIGIT
        predictor.close()

    threads: list[str] = []
    asyncio.run(test())
    assert threads == ["MainThread" if size <= MAX_INLINE_BYTES else "predictor_0"]


def test_expensive_images_share_the_memory_for_decoding(classifier: Classifier) -> None:
    """Reserve what decoding takes, wait if it does not fit, and release it after the prediction or its error."""

    async def test() -> None:
        blocking = BlockingPredictor(classifier)
        size = blocking.open(EXPENSIVE).decode_bytes
        pool = MemoryPool(2 * size, timeout=30.0)
        predictor = AsyncPredictor(blocking, InFlight(), 4, pool)
        images = [EXPENSIVE, EXPENSIVE[:-100], EXPENSIVE]
        predictions = [asyncio.ensure_future(predictor.predict(image)) for image in images]
        while not pool.waiting:
            await asyncio.sleep(0.01)
        assert (pool.used, pool.waiting) == (2 * size, 1)
        blocking.release.set()
        results = await asyncio.gather(*predictions, return_exceptions=True)
        assert [type(result) for result in results] == [Prediction, ImageError, Prediction]
        assert (pool.used, pool.waiting) == (0, 0)
        predictor.close()

    asyncio.run(test())


def test_no_free_memory_is_an_overload(classifier: Classifier) -> None:
    """Raise OverloadedError for an expensive image and for a batch with one if no memory becomes free in time."""

    async def test() -> None:
        pool = MemoryPool(CAPACITY, timeout=0.0)
        predictor = AsyncPredictor(Predictor(classifier, CAPACITY), InFlight(), 1, pool)
        await pool.acquire(CAPACITY)
        for prediction in (predictor.predict(EXPENSIVE), predictor.predict_batch([CHEAP, EXPENSIVE])):
            with pytest.raises(OverloadedError, match="no memory became free within 0 s"):
                await prediction
        assert (await predictor.predict(CHEAP)).digit == DIGIT
        predictor.close()

    asyncio.run(test())


def test_cancelled_prediction_that_waits_for_a_thread_is_not_made(classifier: Classifier) -> None:
    """Drop the work of a client that has gone, and release its memory only when no thread uses it any more."""

    async def test() -> None:
        blocking = BlockingPredictor(classifier)
        size = blocking.open(EXPENSIVE).decode_bytes
        pool = MemoryPool(2 * size, timeout=30.0)
        predictor = AsyncPredictor(blocking, InFlight(), 1, pool)
        running, queued = (asyncio.ensure_future(predictor.predict(EXPENSIVE)) for _ in range(2))
        while not blocking.is_blocked.is_set():
            await asyncio.sleep(0.01)
        queued.cancel()
        running.cancel()
        await asyncio.wait([queued])
        assert pool.used == size  # the running one cannot be stopped
        assert not running.done()
        blocking.release.set()
        await asyncio.wait([running])
        assert pool.used == 0
        assert [call[0] for call in blocking.calls] == ["begin", "finish"]
        predictor.close()

    asyncio.run(test())


def test_close_finishes_the_running_prediction(classifier: Classifier) -> None:
    """Finish what runs, drop what is queued, and accept nothing more."""

    async def test() -> None:
        blocking = BlockingPredictor(classifier)
        predictor = AsyncPredictor(blocking, InFlight(), 1, MemoryPool(CAPACITY, timeout=30.0))
        running, queued = (asyncio.ensure_future(predictor.predict(EXPENSIVE)) for _ in range(2))
        while not blocking.is_blocked.is_set():
            await asyncio.sleep(0.01)
        threading.Timer(0.05, blocking.release.set).start()
        predictor.close()
        assert (await running).digit == DIGIT
        with pytest.raises(asyncio.CancelledError):
            await queued
        with pytest.raises(RuntimeError, match="shutdown"):
            await predictor.predict(EXPENSIVE)

    asyncio.run(test())
