"""The evaluation counts right."""

import numpy as np
import pytest

from export.metrics import auroc, calibration_error, confusion, measure, reliability
from tests.export.readings import reading


def test_the_confusion_matrix_counts_label_by_answer() -> None:
    """Rows are labels, columns answers, and a refusal is neither lost nor right."""
    counts = confusion([reading(0, 0), reading(0, 6), reading(7, 7), reading(7, 7), reading(7, 1), reading(7, None)])
    assert counts.sum() == 6
    assert (counts[0, 0], counts[0, 6], counts[7, 7], counts[7, 1], counts[7, 10]) == (1, 1, 2, 1, 1)


def test_kinds_digits_and_writers_are_counted() -> None:
    """A writer with few pictures counts as much as one with many."""
    found = measure([reading(1, 1, writer="a", kind="photo")] * 9 + [reading(2, 7, writer="b", kind="scan")])
    assert (found["images"], found["correct"], found["accuracy"]) == (10, 9, 0.9)
    assert found["kinds"]["photo"] == {"images": 9, "correct": 9, "accuracy": 1.0}
    assert found["digits"]["2"] == {"images": 1, "correct": 0, "accuracy": 0.0}
    assert (found["writers"], found["writers_mean"]) == (2, 0.5)


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """Bin by bin, weighted by how many fall into each."""
    honest = [reading(1, 1, 0.8)] * 8 + [reading(1, 7, 0.8)] * 2
    assert calibration_error(honest) == pytest.approx(0)
    assert calibration_error([reading(1, 1, 0.8)] * 10) == pytest.approx(0.2)
    assert calibration_error(honest + [reading(1, 7, 0.3)] * 10) == pytest.approx(0.15)


def test_full_confidence_falls_into_the_last_bin() -> None:
    """And a refusal into none."""
    bins = reliability([reading(1, 1, 1.0), reading(1, None)])
    assert bins[-1].tolist() == [1, 1, 1]
    assert bins[:, 0].sum() == 1


@pytest.mark.parametrize(
    ("digits", "others", "area"),
    [([0.9, 0.8], [0.1, 0.2], 1.0), ([0.1], [0.9], 0.0), ([0.5], [0.5], 0.5), ([0.9, 0.3], [0.5, 0.3], 0.625)],
)
def test_the_area_under_the_curve_is_the_chance_to_rank_a_digit_higher(
    digits: list[float], others: list[float], area: float
) -> None:
    """A tie counts half."""
    assert auroc(np.array(digits), np.array(others)) == pytest.approx(area)
