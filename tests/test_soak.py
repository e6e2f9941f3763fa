"""The short form of `make soak`, and its judgment of records that are made up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.images import DIGIT
from tests.service.process.connection import Response
from tests.service.web.inference_requests import INFER
from tests.soak.record import Record, Sample
from tests.soak.traffic import Exchange, bad, small
from tests.soak.verdict import NEEDED, checks, growth


@pytest.mark.slow
def test_soak_of_one_minute_holds(tmp_path: Path) -> None:
    """Answer every request right, and keep memory, descriptors and threads level. Write the plot and the numbers.

    Twelve seconds of warm-up do not reach every path of the code, so memory may grow by 5 MB: two bodies of a photo.
    """
    options = ["--minutes", "1", "--max-growth", "5", "--folder", str(tmp_path)]
    command = [sys.executable, "-m", "tests.soak", *options]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((tmp_path / "soak.json").read_text())
    assert content["holds"]
    assert {"small", "photo", "/health"} <= content["latency"].keys()


def soaked(memory: float = 0.0, descriptors: int = 0, threads: int = 0) -> Record:
    """Make up a record whose levels grow by these numbers from one to the next."""
    record = Record()
    record.counts.update(NEEDED)
    for step in range(12):
        size = 70_000_000 + round(step * memory)
        level = Sample(step, size, size, 20 + step * descriptors, 8 + step * threads)
        record.levels.append(level)
    return record


def breaches(record: Record, status: int = 0, log: str = "") -> list[str]:
    return [check.name for check in checks(record, warm_up=2, exit_status=status, log=log) if not check.holds]


def test_level_record_holds() -> None:
    """Find no breach where nothing grows, or where memory shrinks."""
    assert breaches(soaked()) == []
    assert breaches(soaked(memory=-1e6)) == []


@pytest.mark.parametrize(
    ("record", "breach"),
    [
        (soaked(memory=200_000), "memory grows by less than 1 MB"),
        (soaked(descriptors=1), "descriptors stay level"),
        (soaked(threads=1), "threads stay level"),
    ],
)
def test_growth_is_a_breach(record: Record, breach: str) -> None:
    """Find the one number that grows."""
    assert breaches(record) == [breach]


def test_wrong_response_and_bad_end_are_breaches() -> None:
    """Find a wrong response, kinds without a response, a traceback, and another status than 0."""
    record = soaked()
    record.fail("small: 500")
    record.counts.clear()
    assert breaches(record, status=1, log="Traceback (most recent call last):") == [
        "every response is right",
        "every kind was answered",
        "the log has no traceback",
        "SIGTERM ends it with status 0",
    ]


def test_growth_ignores_one_odd_level() -> None:
    """Compare the medians of the first and the last third, which are two thirds of the time apart."""
    assert growth([1, 90, 1, 5, 5, 5, 3, 3, 0]) == 3
    assert growth([0, 1, 2, 3, 4, 5, 6, 7, 8]) == 9


def test_only_the_right_response_answers_an_exchange() -> None:
    """Compare status and digits, and for errors the shape."""
    exchange = Exchange("small", b"", digits=(DIGIT,))
    assert exchange.is_answered_by(Response(200, {}, {"digit": DIGIT, "confidence": 1.0}))
    assert not exchange.is_answered_by(Response(200, {}, {"digit": 1, "confidence": 1.0}))
    assert not exchange.is_answered_by(Response(400, {}, {"detail": "a sentence"}))
    batch = Exchange("batch", b"", digits=(DIGIT, None))
    assert batch.is_answered_by(Response(200, {}, {"predictions": [{"digit": DIGIT}, {"detail": "a sentence"}]}))
    assert not Exchange("bad", b"", (400,)).is_answered_by(Response(400, {}, {}))


def test_traffic_covers_every_route_and_status() -> None:
    """Send each example on each route, and requests for every error that a client can cause."""
    assert {exchange.request.split()[1] for exchange in small()} == {
        b"/predict",
        b"/predict-image",
        b"/predict-base64",
        b"/predict-batch",
        b"/predict-number",
        INFER.encode(),
    }
    assert {status for exchange in bad() for status in exchange.statuses} == {200, 400, 404, 405, 413, 431}
