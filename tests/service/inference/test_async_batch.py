"""A batch runs in a thread, in bounded memory and time, and lets other requests in between its images."""

import asyncio

import pytest

from service.errors import RequestError
from service.inference import batch_limit
from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Classifier, Prediction
from service.inference.in_flight import InFlight
from service.inference.memory_pool import MemoryPool
from service.inference.predictor import Predictor
from tests.images import DIGIT, SEVEN, encode, half_inverted
from tests.service.inference.recording_predictor import CAPACITY, RecordingPredictor, run

CHEAP = encode(SEVEN)
EXPENSIVE = encode(SEVEN.resize((1200, 1200)))
LARGE = encode(SEVEN.resize((3500, 3500)))
HALF_INVERTED = encode(half_inverted(SEVEN))


def test_client_side_batch_runs_in_a_thread(classifier: Classifier) -> None:
    """Predict the files of a batch in one call in a thread, however cheap, and return errors at their index."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, in_flight: InFlight) -> None:
        in_flight.begin()
        given = RequestError("given")
        prediction, error = await predictor.predict_batch([CHEAP, given])
        assert isinstance(prediction, Prediction)
        assert prediction.digit == DIGIT
        assert error is given
        assert recording.calls == [("begin_batch", 2, "predictor_0")]

    run(classifier, test)


def test_batch_reserves_the_memory_of_its_largest_image(classifier: Classifier) -> None:
    """Reserve memory for one image at a time: the decoded pixels of each are released before the next."""

    async def test() -> None:
        pool = MemoryPool(CAPACITY, timeout=30.0)
        real = Predictor(classifier, CAPACITY)
        predictor = AsyncPredictor(real, InFlight(), 1, pool)
        await pool.acquire(CAPACITY - real.open(EXPENSIVE).decode_bytes)
        results = await predictor.predict_batch([EXPENSIVE, CHEAP, b"", EXPENSIVE])
        assert [isinstance(result, Prediction) for result in results] == [True, True, False, True]
        predictor.close()

    asyncio.run(test())


async def predict_during_batch(predictor: AsyncPredictor, recording: RecordingPredictor, files: list[bytes]) -> None:
    """Predict an image that arrives after a batch of three has begun, and before it is done."""
    batch = asyncio.ensure_future(predictor.predict_batch(files))
    while not recording.calls:
        await asyncio.sleep(0.001)
    assert (await predictor.predict(EXPENSIVE)).digit == DIGIT
    assert not batch.done()
    assert [result.digit for result in await batch if isinstance(result, Prediction)] == [DIGIT] * 3


def test_batch_lets_others_in_between_its_images(classifier: Classifier) -> None:
    """Predict an image that arrives after a batch of large ones before the batch is done."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, _in_flight: InFlight) -> None:
        await predict_during_batch(predictor, recording, [LARGE, LARGE, LARGE])
        assert sorted(call[0] for call in recording.calls) == ["begin", *["begin_batch"] * 3, "finish"]

    run(classifier, test)


def test_batch_lets_others_in_between_its_doubtful_images(classifier: Classifier) -> None:
    """Predict an image that arrives after a batch of doubtful ones before their alternatives are read."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, _in_flight: InFlight) -> None:
        await predict_during_batch(predictor, recording, [HALF_INVERTED, CHEAP, HALF_INVERTED])
        assert [call[0] for call in recording.calls if call[0] != "begin"] == ["begin_batch", *["finish"] * 3]

    run(classifier, test)


def test_alternatives_of_a_batch_are_limited(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse the doubtful images of a batch that take too long together. Predict the others."""
    monkeypatch.setattr(batch_limit, "MAX_SECONDS", 0.07)

    async def test(predictor: AsyncPredictor, _recording: RecordingPredictor, _in_flight: InFlight) -> None:
        *doubtful, last = await predictor.predict_batch([HALF_INVERTED] * 4 + [CHEAP])
        assert [isinstance(result, Prediction) for result in doubtful] == [True, True, False, False]
        assert "take too long to read. Send it in another request." in str(doubtful[-1])
        assert isinstance(last, Prediction)

    run(classifier, test)


def test_cancelled_batch_stops_between_its_images(classifier: Classifier) -> None:
    """Decode no further image of a batch whose client has gone."""

    async def test(predictor: AsyncPredictor, recording: RecordingPredictor, _in_flight: InFlight) -> None:
        batch = asyncio.ensure_future(predictor.predict_batch([LARGE] * 10))
        while not recording.calls:
            await asyncio.sleep(0.001)
        batch.cancel()
        await asyncio.wait([batch])
        assert len(recording.calls) < 3

    run(classifier, test)
