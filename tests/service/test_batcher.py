"""What arrives together is read together; what arrives alone does not wait."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from service.batcher import Answers, Batcher
from service.classifier import Prediction
from service.errors import ImageError

ANSWERS = {bytes([digit]): Prediction(digit, tuple(float(d == digit) for d in range(10))) for digit in range(10)}


class Reader:
    """Answers a picture of one byte with that digit, refuses an empty one, and keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []

    def __call__(self, pictures: list[bytes]) -> Answers:
        self.batches.append(pictures)
        return [ANSWERS[picture] if picture else ImageError("empty") for picture in pictures]


def run(test: Callable[[Batcher, Reader], Coroutine[Any, Any, None]], most: int = 4, alone: bool = False) -> None:
    """In a loop of its own."""

    async def whole() -> None:
        reader = Reader()
        await test(Batcher(reader, most, lambda: alone), reader)

    asyncio.run(whole())


def test_each_gets_its_own_answer_from_one_batch() -> None:
    """In the order in which they came."""

    async def test(batcher: Batcher, reader: Reader) -> None:
        answers = await asyncio.gather(*(batcher.read(bytes([digit])) for digit in (3, 1, 2)))
        assert [answer.digit for answer in answers] == [3, 1, 2]
        assert reader.batches == [[b"\3", b"\1", b"\2"]]

    run(test)


def test_one_alone_is_read_at_once() -> None:
    """Its coroutine ends, or fails, at its first step."""

    async def test(batcher: Batcher, reader: Reader) -> None:
        with pytest.raises(StopIteration) as end:
            batcher.read(b"\7").send(None)
        assert end.value.value.digit == 7
        with pytest.raises(ImageError):
            batcher.read(b"").send(None)
        with pytest.raises(KeyError):  # a fault of ours
            batcher.read(b"no digit").send(None)
        assert reader.batches == [[b"\7"], [b""], [b"no digit"]]

    run(test, alone=True)


def test_one_that_may_not_be_alone_is_read_in_the_next_turn() -> None:
    """No clock decides."""

    async def test(batcher: Batcher, reader: Reader) -> None:
        task = asyncio.ensure_future(batcher.read(b"\7"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert reader.batches == [[b"\7"]]
        assert (await task).digit == 7

    run(test)


def test_no_more_than_the_limit_is_read_in_one_turn() -> None:
    """The loop turns in between: others get their turn."""

    async def test(batcher: Batcher, reader: Reader) -> None:
        turns = []

        async def other() -> None:
            while len(reader.batches) < 3:
                turns.append(len(reader.batches))
                await asyncio.sleep(0)

        await asyncio.gather(other(), *(batcher.read(b"\1") for _ in range(9)))
        assert [len(batch) for batch in reader.batches] == [4, 4, 1]
        assert {1, 2} <= set(turns)

    run(test)


def test_an_error_reaches_only_whose_picture_it_is() -> None:
    """The others are answered."""

    async def test(batcher: Batcher, _reader: Reader) -> None:
        good, bad = await asyncio.gather(batcher.read(b"\5"), batcher.read(b""), return_exceptions=True)
        assert isinstance(good, Prediction)
        assert isinstance(bad, ImageError)

    run(test)


def test_a_client_that_is_gone_costs_the_others_nothing() -> None:
    """Its place in the batch is read in vain."""

    async def test(batcher: Batcher, _reader: Reader) -> None:
        gone, stays = (asyncio.ensure_future(batcher.read(bytes([digit]))) for digit in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).digit == 2
        assert gone.cancelled()

    run(test)


def test_a_fault_of_ours_reaches_all_who_wait() -> None:
    """Nobody is left hanging, and the next batch is read."""

    async def test(batcher: Batcher, _reader: Reader) -> None:
        found = await asyncio.gather(batcher.read(b"no digit"), batcher.read(b"\1"), return_exceptions=True)
        assert [type(answer) for answer in found] == [KeyError, KeyError]
        assert (await batcher.read(b"\1")).digit == 1

    run(test)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_over_many_turns_every_picture_is_read_once(count: int) -> None:
    """Clients that come back as soon as they are answered."""

    async def test(batcher: Batcher, reader: Reader) -> None:
        async def client(digit: int) -> None:
            for _ in range(5):
                assert (await batcher.read(bytes([digit]))).digit == digit

        await asyncio.gather(*(client(number % 10) for number in range(count)))
        assert sum(map(len, reader.batches)) == 5 * count

    run(test)
