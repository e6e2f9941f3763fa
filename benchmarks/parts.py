"""The parts of one request, each measured by itself in this process."""

import statistics
import time
from collections.abc import Callable

import numpy as np
from starlette.responses import JSONResponse

from service.classifier import Session, softmax
from service.contract import Contract
from service.decode import decode
from service.preprocess import preprocess
from service.settings import Settings

ROUNDS, SECONDS = 9, 0.1


def of(picture: bytes) -> dict[str, float]:
    """Milliseconds for decoding, preprocessing, `session.run`, and the answer from the logits: medians."""
    settings = Settings()
    session = Session(Contract.verify(settings.weights_dir / settings.model).model_file)
    grey = decode(picture, settings.max_decoded_bytes)
    batch = preprocess(grey)[np.newaxis]
    logits = session.logits(batch)[0].tolist()
    return {
        "decode": _median(lambda: decode(picture, settings.max_decoded_bytes)),
        "preprocess": _median(lambda: preprocess(grey)),
        "session.run": _median(lambda: session.logits(batch)),
        "response": _median(lambda: JSONResponse({"probabilities": softmax(logits)})),
    }


def _median(work: Callable[[], object]) -> float:
    """Milliseconds a call: the median of rounds that each last a while."""
    work()
    count = max(1, round(SECONDS / _time(work, 1)))
    return statistics.median(_time(work, count) for _ in range(ROUNDS)) * 1e3


def _time(work: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        work()
    return (time.perf_counter() - started) / count
