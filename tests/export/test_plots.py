"""Plots have room for all that they show."""

import pytest

from export.metrics import measure
from export.plots import COLUMNS, confusion_matrix, contact_sheet, reliability_diagram, training_curve
from tests.export.readings import reading

READINGS = [reading(1, 1, 0.9), reading(2, 7, 0.4), reading(3, None)]


@pytest.mark.parametrize("count", [0, 1, COLUMNS, COLUMNS + 1])
def test_the_contact_sheet_has_room_for_all(count: int) -> None:
    """Also for none."""
    assert contact_sheet([reading(0, 1)] * count).height >= 28 * -(-count // COLUMNS)


def test_each_source_has_a_diagram_and_a_matrix() -> None:
    """With its number of pictures."""
    sources = {"one": READINGS, "two": READINGS * 2}
    titles = [axes.get_title() for axes in reliability_diagram(sources).axes]
    assert titles == ["one, n = 3", "two, n = 6"]
    matrices = confusion_matrix({name: measure(readings) for name, readings in sources.items()})
    assert sorted(text.get_text() for text in matrices.axes[1].texts) == ["2", "2", "2"]


def test_the_training_curve_shows_every_epoch() -> None:
    """Both losses, and the errors of each validation set."""
    history = [
        {"epoch": n, "train_loss": 1 / n, "validation_loss": 2 / n, "mnist_accuracy": 1 - 0.1 / n} for n in (1, 2, 3)
    ]
    losses, errors = training_curve(history).axes
    assert [len(line.get_xdata()) for line in (*losses.lines, *errors.lines)] == [3, 3, 3]  # type: ignore[arg-type]
