"""Images that are queued in one event-loop iteration run as one batch in the next."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from service.errors import ImageError, RequestError
from service.imaging.decode import EncodedImage, open_image
from service.inference.batcher import Batcher
from service.inference.classifier import Prediction
from service.inference.stages import StageMetrics
from tests.images import empty_png

MAX_PIXELS = 1_000
PREDICTIONS = {bytes([digit]): Prediction(digit, tuple(float(d == digit) for d in range(10))) for digit in range(10)}


def image(content: bytes, width: int = 1) -> EncodedImage:
    """Return an image that is told from others by its content, with `width` pixels."""
    return replace(open_image(empty_png(width, 1), max_bytes=1_000_000), content=content)


class RecordingPredictor:
    """Predicts digit n for the byte n, returns an error for empty bytes, and records the contents of each batch."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []

    def __call__(self, images: list[EncodedImage]) -> list[Prediction | RequestError]:
        contents = [bytes(image.content) for image in images]
        self.batches.append(contents)
        return [PREDICTIONS[content] if content else ImageError("empty") for content in contents]


def run(test: Callable[[Batcher[Prediction], RecordingPredictor], Coroutine[Any, Any, None]]) -> None:
    """Run a test in a new event loop, with a batcher of up to four images per batch."""

    async def with_batcher() -> None:
        predictor = RecordingPredictor()
        async with asyncio.timeout(30):  # a request that is never answered fails the test
            await test(Batcher(predictor, 4, MAX_PIXELS, StageMetrics()), predictor)

    asyncio.run(with_batcher())


def test_each_image_gets_its_own_prediction_from_one_batch() -> None:
    """Run images of one iteration as one batch, and return each prediction to its own caller."""

    async def test(batcher: Batcher[Prediction], predictor: RecordingPredictor) -> None:
        predictions = await asyncio.gather(*(batcher.predict(image(bytes([digit]))) for digit in (3, 1, 2)))
        assert [prediction.digit for prediction in predictions] == [3, 1, 2]
        assert predictor.batches == [[b"\3", b"\1", b"\2"]]

    run(test)


def test_batch_runs_in_the_next_iteration() -> None:
    """Wait for no clock and no further image: one iteration after it is queued, the batch has run."""

    async def test(batcher: Batcher[Prediction], predictor: RecordingPredictor) -> None:
        task = asyncio.ensure_future(batcher.predict(image(b"\7")))
        await asyncio.sleep(0)
        assert (batcher.is_empty, predictor.batches) == (False, [])
        await asyncio.sleep(0)
        assert (batcher.is_empty, predictor.batches) == (True, [[b"\7"]])
        assert (await task).digit == 7

    run(test)


def test_loop_iterates_between_two_batches() -> None:
    """Run no more than the maximum size per iteration, so that other tasks run in between."""

    async def test(batcher: Batcher[Prediction], predictor: RecordingPredictor) -> None:
        counts = []

        async def other_task() -> None:
            while len(predictor.batches) < 3:
                counts.append(len(predictor.batches))
                await asyncio.sleep(0)

        await asyncio.gather(other_task(), *(batcher.predict(image(b"\1")) for _ in range(9)))
        assert [len(batch) for batch in predictor.batches] == [4, 4, 1]
        assert {1, 2} <= set(counts)

    run(test)


@pytest.mark.parametrize(
    ("widths", "sizes"),
    [
        ([500, 500, 1, 1], [2, 2]),
        ([501, 500, 1, 1], [1, 3]),
        ([1, 999, 1, 1, 1], [2, 3]),
        ([2_000, 2_000, 1], [1, 1, 1]),
        ([1, 2_000, 1], [1, 1, 1]),
        ([250, 250, 250, 250, 250], [4, 1]),
    ],
)
def test_pixels_of_a_batch_are_limited(widths: list[int], sizes: list[int]) -> None:
    """Run no more than the maximum of pixels per iteration, but at least one image, in the order of arrival."""

    async def test(batcher: Batcher[Prediction], predictor: RecordingPredictor) -> None:
        images = [image(bytes([digit]), width) for digit, width in enumerate(widths)]
        predictions = await asyncio.gather(*map(batcher.predict, images))
        assert [prediction.digit for prediction in predictions] == list(range(len(widths)))
        assert [len(batch) for batch in predictor.batches] == sizes

    run(test)


def test_error_of_one_image_reaches_only_its_caller() -> None:
    """Raise an image's error to its caller, and return the other predictions of the batch."""

    async def test(batcher: Batcher[Prediction], _predictor: RecordingPredictor) -> None:
        valid, invalid = await asyncio.gather(
            batcher.predict(image(b"\5")), batcher.predict(image(b"")), return_exceptions=True
        )
        assert valid == PREDICTIONS[b"\5"]
        assert isinstance(invalid, ImageError)

    run(test)


def test_canceled_request_does_not_disturb_its_batch() -> None:
    """Return the predictions of a batch if the client of one image has disconnected."""

    async def test(batcher: Batcher[Prediction], _predictor: RecordingPredictor) -> None:
        canceled, other = (asyncio.ensure_future(batcher.predict(image(bytes([digit])))) for digit in (1, 2))
        await asyncio.sleep(0)
        canceled.cancel()
        assert (await other).digit == 2
        assert canceled.cancelled()

    run(test)


def test_unexpected_error_reaches_every_caller() -> None:
    """Raise an unexpected exception to every caller of the batch, and run the next batch as usual."""

    async def test(batcher: Batcher[Prediction], _predictor: RecordingPredictor) -> None:
        results = await asyncio.gather(
            batcher.predict(image(b"no digit")), batcher.predict(image(b"\1")), return_exceptions=True
        )
        assert [type(result) for result in results] == [KeyError, KeyError]
        assert (await batcher.predict(image(b"\1"))).digit == 1

    run(test)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_every_image_is_predicted_exactly_once(count: int) -> None:
    """Predict every image once while clients send the next one as soon as they get a response."""

    async def test(batcher: Batcher[Prediction], predictor: RecordingPredictor) -> None:
        async def client(digit: int) -> None:
            for _ in range(5):
                assert (await batcher.predict(image(bytes([digit])))).digit == digit

        await asyncio.gather(*(client(number % 10) for number in range(count)))
        assert sum(map(len, predictor.batches)) == 5 * count

    run(test)
