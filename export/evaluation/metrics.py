"""Compute metrics from evaluation records."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.evaluation.records import EvalRecord

BINS = 15
"""Bins of equal width for the calibration error and the reliability diagram."""

HISTOGRAM_EDGES = (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1)
"""Bins of the histogram of confidences, narrower toward 1, where most predictions are."""

THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99)
"""Confidences below which a client may reject predictions."""

Z = 1.96
"""The 97.5th percentile of the standard normal distribution: intervals of 95%."""


def compute_metrics(records: Sequence[EvalRecord]) -> dict[str, Any]:
    """Compute accuracy, overall and by digit, kind and writer, and the calibration error. Shares are in [0, 1]."""
    digits = _group(records, lambda record: str(record.label))
    kinds = _group(records, lambda record: record.kind)
    writers = _group(records, lambda record: record.writer)
    return {
        **_accuracy(records),
        "ece": expected_calibration_error(records),
        "digits": {digit: _accuracy(group) for digit, group in digits.items()},
        "kinds": {kind: _accuracy(group) for kind, group in kinds.items() if kind},
        "writers": len(writers),
        "writers_mean": float(np.mean([_accuracy(group)["accuracy"] for group in writers.values()])),
        "confusion": confusion_matrix(records).tolist(),
    }


def mishap_metrics(records: Iterable[EvalRecord]) -> dict[str, dict[str, Any]]:
    """Compute accuracy and mean confidence by form. A rejected image is an error of confidence 0."""
    forms = defaultdict(list)
    for record in records:
        forms[record.kind].append(record)
    return {
        form: {**_accuracy(group), "confidence": float(np.mean([record.confidence for record in group]))}
        for form, group in forms.items()
    }


def confusion_matrix(records: Iterable[EvalRecord]) -> NDArray[np.int64]:
    """Count records by label and prediction, int64 (10, 11). The last column counts rejected images."""
    counts = np.zeros((10, 11), np.int64)
    for record in records:
        counts[record.label, 10 if record.prediction is None else record.prediction.digit] += 1
    return counts


def reliability_bins(records: Iterable[EvalRecord]) -> NDArray[np.float64]:
    """Sort predictions into BINS equal bins of confidence: float64 (15, 3).

    Columns: number of predictions, mean confidence, accuracy. Rejected images are left out; empty bins are 0.
    """
    bins = np.zeros((BINS, 3))
    for record in records:
        if record.prediction is not None:
            bins[min(int(record.confidence * BINS), BINS - 1)] += (1, record.confidence, record.is_correct)
    bins[:, 1:] /= np.maximum(bins[:, :1], 1)
    return bins


def confidence_histogram(records: Iterable[EvalRecord]) -> NDArray[np.int64]:
    """Count wrong predictions (row 0) and right ones (row 1) by HISTOGRAM_EDGES: int64 (2, 11).

    Rejected images are left out.
    """
    counts = np.zeros((2, len(HISTOGRAM_EDGES) - 1), np.int64)
    for record in records:
        if record.prediction is not None:
            bin_index = bisect_right(HISTOGRAM_EDGES, record.confidence) - 1
            counts[int(record.is_correct), min(bin_index, counts.shape[1] - 1)] += 1
    return counts


def expected_calibration_error(records: Iterable[EvalRecord]) -> float:
    """Compute the expected calibration error (Guo et al. 2017), in [0, 1], of the images that were not rejected."""
    count, confidence, accuracy = reliability_bins(records).T
    return float((count * np.abs(confidence - accuracy)).sum() / count.sum())


def auroc(digits: NDArray[np.float64], outliers: NDArray[np.float64]) -> float:
    """Compute the area under the ROC curve of confidences, float64 (N,) and (M,).

    It is the probability that a random digit has a higher confidence than a random outlier; a tie counts half.
    """
    ordered = np.sort(digits)
    above = len(ordered) - np.searchsorted(ordered, outliers, side="right")
    equal = len(ordered) - np.searchsorted(ordered, outliers, side="left") - above
    return float((above + equal / 2).mean() / len(ordered))


def wilson_interval(correct: int, images: int) -> tuple[float, float]:
    """Compute the 95% score interval of a share (Wilson 1927), in [0, 1]."""
    if images == 0:
        return 0.0, 1.0
    share, scale = correct / images, 1 + Z**2 / images
    center = (share + Z**2 / (2 * images)) / scale
    margin = Z / scale * math.sqrt(share * (1 - share) / images + Z**2 / (4 * images**2))
    return max(0.0, center - margin), min(1.0, center + margin)


def accepted_share(confidences: NDArray[np.float64]) -> dict[str, float]:
    """Compute the share of confidences, float64 (N,), that reach each of THRESHOLDS."""
    return {str(threshold): float((confidences >= threshold).mean()) for threshold in THRESHOLDS}


def threshold_metrics(records: Sequence[EvalRecord]) -> dict[str, dict[str, Any]]:
    """Count the predictions that reach each of THRESHOLDS, and how many are correct. Rejected images reach none."""
    accepted = {threshold: [record for record in records if record.confidence >= threshold] for threshold in THRESHOLDS}
    return {
        str(threshold): {
            "accepted": len(group),
            "share": len(group) / len(records),
            "correct": sum(record.is_correct for record in group),
        }
        for threshold, group in accepted.items()
    }


def _accuracy(records: Sequence[EvalRecord]) -> dict[str, Any]:
    """Count the images and the correct predictions."""
    correct = sum(record.is_correct for record in records)
    return {"images": len(records), "correct": correct, "accuracy": correct / len(records)}


def _group(records: Iterable[EvalRecord], key: Callable[[EvalRecord], str]) -> dict[str, list[EvalRecord]]:
    """Group records by a key, sorted."""
    groups = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return dict(sorted(groups.items()))
