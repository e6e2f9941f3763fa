"""Measure the stages of one request separately, in this process."""

import statistics
import time
from collections.abc import Callable

import numpy as np
from starlette.responses import JSONResponse

from service.imaging.decode import decode
from service.imaging.normalize import to_model_input
from service.inference.classifier import softmax
from service.inference.contract import Contract
from service.inference.session import Session
from service.settings import Settings

ROUNDS = 9
SECONDS_PER_ROUND = 0.1


def measure_stages(image_bytes: bytes) -> dict[str, float]:
    """Return median milliseconds of decoding, preprocessing, `session.run`, and the response from the logits."""
    settings = Settings()
    session = Session(Contract.verify(settings.weights_dir / settings.model).model_file)
    gray = decode(image_bytes, settings.max_decoded_bytes)
    images = to_model_input(gray)[np.newaxis]
    logits = session.logits(images)[0].tolist()
    return {
        "decode": _median_ms(lambda: decode(image_bytes, settings.max_decoded_bytes)),
        "preprocess": _median_ms(lambda: to_model_input(gray)),
        "session.run": _median_ms(lambda: session.logits(images)),
        "response": _median_ms(lambda: JSONResponse({"probabilities": softmax(logits)})),
    }


def _median_ms(work: Callable[[], object]) -> float:
    """Return milliseconds per call: the median of ROUNDS rounds."""
    work()
    count = max(1, round(SECONDS_PER_ROUND / _seconds_per_call(work, 1)))
    return statistics.median(_seconds_per_call(work, count) for _ in range(ROUNDS)) * 1e3


def _seconds_per_call(work: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        work()
    return (time.perf_counter() - started) / count
