"""Metrics count right."""

import numpy as np
import pytest

from export.evaluation.metrics import (
    HISTOGRAM_EDGES,
    THRESHOLDS,
    accepted_share,
    auroc,
    compute_metrics,
    confidence_histogram,
    confusion_matrix,
    expected_calibration_error,
    reliability_bins,
    threshold_metrics,
    wilson_interval,
)
from tests.export.evaluation.records import make_record


def test_the_confusion_matrix_counts_label_by_prediction() -> None:
    """Counts labels in rows, predictions in columns, and rejected images in the last column."""
    predictions = [(0, 0), (0, 6), (7, 7), (7, 7), (7, 1), (7, None)]
    counts = confusion_matrix([make_record(label, digit) for label, digit in predictions])
    assert counts.sum() == 6
    assert (counts[0, 0], counts[0, 6], counts[7, 7], counts[7, 1], counts[7, 10]) == (1, 1, 2, 1, 1)


def test_kinds_digits_and_writers_are_counted() -> None:
    """Weights every writer equally in the mean, whatever the number of images."""
    records = [make_record(1, 1, writer="a", kind="photo")] * 9 + [make_record(2, 7, writer="b", kind="scan")]
    metrics = compute_metrics(records)
    assert (metrics["images"], metrics["correct"], metrics["accuracy"]) == (10, 9, 0.9)
    assert metrics["kinds"]["photo"] == {"images": 9, "correct": 9, "accuracy": 1.0}
    assert metrics["digits"]["2"] == {"images": 1, "correct": 0, "accuracy": 0.0}
    assert (metrics["writers"], metrics["writers_mean"]) == (2, 0.5)
    assert metrics["ece"] == expected_calibration_error(records)


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """Averages the gap over the bins, weighted by their counts."""
    calibrated = [make_record(1, 1, 0.8)] * 8 + [make_record(1, 7, 0.8)] * 2
    assert expected_calibration_error(calibrated) == pytest.approx(0)
    assert expected_calibration_error([make_record(1, 1, 0.8)] * 10) == pytest.approx(0.2)
    assert expected_calibration_error(calibrated + [make_record(1, 7, 0.3)] * 10) == pytest.approx(0.15)


def test_full_confidence_falls_into_the_last_bin() -> None:
    """Puts a confidence of 1 into the last bin, and a rejected image into none."""
    bins = reliability_bins([make_record(1, 1, 1.0), make_record(1, None)])
    assert bins[-1].tolist() == [1, 1, 1]
    assert bins[:, 0].sum() == 1


def test_the_histogram_counts_wrong_and_right_predictions() -> None:
    """Count a confidence at an edge in the bin above it, 1 in the last one, and a rejected image nowhere."""
    records = [make_record(1, 1, 0.9), make_record(1, 7, 0.899), make_record(1, 1, 1.0), make_record(1, None)]
    counts = confidence_histogram(records)
    below = HISTOGRAM_EDGES.index(0.9) - 1
    assert (counts[1, below + 1], counts[0, below], counts[1, -1], counts.sum()) == (1, 1, 1, 3)


@pytest.mark.parametrize(
    ("digits", "outliers", "area"),
    [([0.9, 0.8], [0.1, 0.2], 1.0), ([0.1], [0.9], 0.0), ([0.5], [0.5], 0.5), ([0.9, 0.3], [0.5, 0.3], 0.625)],
)
def test_the_auroc_is_the_probability_to_rank_a_digit_higher(
    digits: list[float], outliers: list[float], area: float
) -> None:
    """Counts the pairs in which the digit has the higher confidence; a tie counts half."""
    assert auroc(np.array(digits), np.array(outliers)) == pytest.approx(area)


@pytest.mark.parametrize(
    ("correct", "images", "low", "high"),
    [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (10, 10, 0.722, 1.0), (9_969, 10_000, 0.9956, 0.9978), (0, 0, 0, 1)],
)
def test_the_interval_is_that_of_wilson(correct: int, images: int, low: float, high: float) -> None:
    """Match published values, stay within [0, 1], and know nothing without images."""
    assert list(wilson_interval(correct, images)) == pytest.approx([low, high], abs=6e-4)


def test_thresholds_count_what_reaches_them() -> None:
    """Count accepted and correct predictions from the threshold on. A rejected image reaches none."""
    records = [make_record(1, 1, 0.9), make_record(1, 7, 0.9), make_record(1, 1, 0.6), make_record(1, None)]
    counts = threshold_metrics(records)
    assert list(counts) == [str(threshold) for threshold in THRESHOLDS]
    assert counts["0.5"] == {"accepted": 3, "share": 0.75, "correct": 2}
    assert counts["0.9"] == {"accepted": 2, "share": 0.5, "correct": 1}
    assert counts["0.95"] == {"accepted": 0, "share": 0.0, "correct": 0}


def test_the_accepted_share_of_outliers_is_that_of_the_thresholds() -> None:
    """Count confidences from each threshold on."""
    assert accepted_share(np.array([0.2, 0.5, 0.9, 0.995])) == {
        "0.5": 0.75, "0.8": 0.5, "0.9": 0.5, "0.95": 0.25, "0.99": 0.25
    }  # fmt: skip
