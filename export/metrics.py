"""Readings become numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.readings import Reading

BINS = 15


def measure(readings: Sequence[Reading]) -> dict[str, Any]:
    """Accuracy of all, of each digit, kind and writer, and calibration; shares lie between 0 and 1."""
    writers = _groups(readings, lambda reading: reading.writer)
    return {
        **_share(readings),
        "calibration_error": calibration_error(readings),
        "digits": {str(digit): _share(those) for digit, those in _groups(readings, lambda r: str(r.label)).items()},
        "kinds": {kind: _share(those) for kind, those in _groups(readings, lambda r: r.kind).items() if kind},
        "writers": len(writers),
        "writers_mean": float(np.mean([_share(those)["accuracy"] for those in writers.values()])),
        "confusion": confusion(readings).tolist(),
    }


def confusion(readings: Iterable[Reading]) -> NDArray[np.int64]:
    """Counts, int64 (10, 11): a row for each label, a column for each answer, the last for refusals."""
    counts = np.zeros((10, 11), np.int64)
    for reading in readings:
        counts[reading.label, 10 if reading.answer is None else reading.answer.digit] += 1
    return counts


def reliability(readings: Iterable[Reading]) -> NDArray[np.float64]:
    """How many answers fall into each of 15 equal bins of confidence, their mean confidence and share right: (15, 3).

    Rows of empty bins are 0.
    """
    bins = np.zeros((BINS, 3))
    for reading in readings:
        if reading.answer is not None:
            bins[min(int(reading.confidence * BINS), BINS - 1)] += (1, reading.confidence, reading.right)
    bins[:, 1:] /= np.maximum(bins[:, :1], 1)
    return bins


def calibration_error(readings: Iterable[Reading]) -> float:
    """Expected calibration error (Guo et al. 2017) of the pictures with an answer."""
    count, confidence, right = reliability(readings).T
    return float((count * np.abs(confidence - right)).sum() / count.sum())


def auroc(digits: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """The chance that a digit's confidence exceeds that of something else; a tie counts half."""
    ordered = np.sort(digits)
    above = len(ordered) - np.searchsorted(ordered, others, side="right")
    equal = len(ordered) - np.searchsorted(ordered, others, side="left") - above
    return float((above + equal / 2).mean() / len(ordered))


def _share(readings: Sequence[Reading]) -> dict[str, Any]:
    correct = sum(reading.right for reading in readings)
    return {"images": len(readings), "correct": correct, "accuracy": correct / len(readings)}


def _groups(readings: Iterable[Reading], key: Callable[[Reading], str]) -> dict[str, list[Reading]]:
    groups = defaultdict(list)
    for reading in readings:
        groups[key(reading)].append(reading)
    return dict(sorted(groups.items()))
