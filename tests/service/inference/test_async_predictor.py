"""A cheap image runs inline if its request is the only one, otherwise in a batch; expensive ones run in a thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from PIL import Image

from service.errors import ImageError, RequestError
from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Classifier, Prediction
from service.inference.in_flight import InFlight
from service.inference.predictor import Predictor
from tests.images import DIGIT, SEVEN, encode

CHEAP = encode(SEVEN)
EXPENSIVE = encode(SEVEN.resize((1200, 1200)))
BLANK = encode(Image.new("L", (28, 28)))


class RecordingPredictor(Predictor):
    """The real predictor, which also records each call: its method, its number of files and its thread."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__(classifier, max_decoded_bytes=50_000_000)
        self.calls: list[tuple[str, int, str]] = []

    def predict(self, image_bytes: bytes) -> Prediction:
        self.calls.append(("predict", 1, threading.current_thread().name))
        return super().predict(image_bytes)

    def predict_batch(self, files: Sequence[bytes | RequestError]) -> list[Prediction | RequestError]:
        self.calls.append(("predict_batch", len(files), threading.current_thread().name))
        return super().predict_batch(files)


def run(
    classifier: Classifier,
    test: Callable[[AsyncPredictor, RecordingPredictor, InFlight], Coroutine[Any, Any, None]],
) -> None:
    """Run a test in a new event loop, with an async predictor of one thread around the real classifier."""

    async def with_predictor() -> None:
        recording, in_flight = RecordingPredictor(classifier), InFlight()
        predictor = AsyncPredictor(recording, in_flight, threads=1)
        async with asyncio.timeout(30):
            await test(predictor, recording, in_flight)
        predictor.close()

    asyncio.run(with_predictor())


def test_only_request_in_flight_runs_inline(classifier: Classifier) -> None:
    """Return, or raise, in the first step of the coroutine, without giving control back to the event loop."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        in_flight.begin()
        with pytest.raises(StopIteration) as end:
            predictor.predict(CHEAP).send(None)
        assert end.value.value.digit == DIGIT
        with pytest.raises(ImageError, match="no digit found"):
            predictor.predict(BLANK).send(None)
        assert recording.calls == [("predict", 1, "MainThread")] * 2

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
        assert recording.calls == [("predict_batch", 3, "MainThread")]

    run(classifier, test)


def test_image_joins_a_queue_that_is_not_empty(classifier: Classifier) -> None:
    """Queue an image behind others even if its request is the only one that is still in flight."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        queued = asyncio.ensure_future(predictor.predict(CHEAP))
        await asyncio.sleep(0)
        in_flight.begin()
        assert (await predictor.predict(CHEAP)).digit == (await queued).digit == DIGIT
        assert recording.calls == [("predict_batch", 2, "MainThread")]

    run(classifier, test)


def test_expensive_image_runs_in_a_thread(classifier: Classifier) -> None:
    """Predict an expensive image in a thread, even if its request is the only one, and raise its error."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        in_flight.begin()
        assert (await predictor.predict(EXPENSIVE)).digit == DIGIT
        with pytest.raises(ImageError, match="neither a PNG nor a JPEG"):
            await predictor.predict(bytes(100_000))
        assert recording.calls == [("predict", 1, "predictor_0")] * 2

    run(classifier, test)


def test_client_side_batch_runs_in_a_thread(classifier: Classifier) -> None:
    """Predict the files of a batch in one call in a thread, however cheap, and return errors at their index."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        in_flight.begin()
        given = RequestError("given")
        prediction, error = await predictor.predict_batch([CHEAP, given])
        assert isinstance(prediction, Prediction)
        assert prediction.digit == DIGIT
        assert error is given
        assert recording.calls == [("predict_batch", 2, "predictor_0")]

    run(classifier, test)


def test_cheap_image_does_not_wait_for_an_expensive_one(classifier: Classifier) -> None:
    """Respond to a cheap image while every thread is busy."""
    is_blocked, release = threading.Event(), threading.Event()

    class BlockingPredictor(RecordingPredictor):
        def predict(self, image_bytes: bytes) -> Prediction:
            is_blocked.set()
            assert release.wait(30)
            return super().predict(image_bytes)

    async def test() -> None:
        predictor = AsyncPredictor(BlockingPredictor(classifier), InFlight(), threads=1)
        expensive = asyncio.ensure_future(predictor.predict(EXPENSIVE))
        await asyncio.sleep(0)
        assert is_blocked.wait(30)
        assert (await predictor.predict(CHEAP)).digit == DIGIT
        assert not expensive.done()
        release.set()
        assert (await expensive).digit == DIGIT
        predictor.close()

    asyncio.run(test())


def test_close_finishes_queued_predictions(classifier: Classifier) -> None:
    """Finish the running and the queued prediction before the threads end, and accept no further one."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, _in_flight: InFlight) -> None:
        queued = [asyncio.ensure_future(predictor.predict(EXPENSIVE)) for _ in range(3)]
        await asyncio.sleep(0)
        predictor.close()
        assert len(recording.calls) == 3
        assert [(await prediction).digit for prediction in queued] == [DIGIT] * 3
        with pytest.raises(RuntimeError, match="shutdown"):
            await predictor.predict(EXPENSIVE)

    run(classifier, test)
