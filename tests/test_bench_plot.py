"""The plot of `make bench` shows the ratios to the reference, start-up and memory."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.plot import PANELS, draw, plot, round_ratios
from tests.conftest import ROOT

FOLDER = ROOT / "benchmarks"


def load(server: str, rate: float, p50: float, connections: int = 1) -> dict[str, Any]:
    """Return one measurement of one kind of request."""
    measured = {"rate": rate, "p50": p50, "p99": 2 * p50}
    return {"request": "digit", "connections": connections, "server": server, **measured}


LOADS = [
    *(load("service", 30, 2), load("reference", 10, 6)),
    *(load("service", 40, 1), load("reference", 10, 5)),
    *(load("service", 25, 4), load("reference", 50, 1)),
    *(load("service", 25, 4, 16), load("reference", 0, 0, 16)),
]
RESULTS = {
    "load": LOADS,
    "seconds_to_first_answer": {"service": [0.5, 0.6, 0.7], "reference": [2.0, 3.0, 2.5]},
    "megabytes": {
        "service": {"idle": 50.0, "after load": 60.0},
        "reference": {"idle": 250.0, "after load": 400.0},
    },
}


@pytest.mark.parametrize(("key", "ratios"), [("rate", [3, 4, 0.5]), ("p50", [3, 5, 0.25]), ("p99", [3, 5, 0.25])])
def test_a_ratio_above_one_is_better(key: str, ratios: list[float]) -> None:
    """Divide rates by those of the reference, and its latencies by those of the service, round by round."""
    assert list(round_ratios(LOADS, "digit", 1, key)) == ratios


def test_a_round_without_a_response_has_no_ratio() -> None:
    """Leave out what the reference did not answer in time."""
    assert list(round_ratios(LOADS, "digit", 16, "p50")) == []


def test_the_plot_shows_medians_and_extremes() -> None:
    """Draw the median of the rounds, a line from the worst to the best, and the values of both servers."""
    rates, *others, start, memory = plot(RESULTS).axes
    assert [axes.get_title() for axes in (rates, *others)] == list(PANELS.values())
    assert [label.get_text() for label in rates.get_yticklabels()] == ["digit"]
    assert np.asarray(rates.lines[0].get_xdata()).tolist() == [3]
    assert rates.collections[0].get_segments()[0][:, 0].tolist() == [0.5, 4]  # type: ignore[attr-defined]
    assert [text.get_text().strip() for text in start.texts] == ["0.6", "2.5"]
    assert [text.get_text().strip() for text in memory.texts] == ["50", "250", "60", "400"]
    assert [label.get_text() for label in memory.get_yticklabels()][:2] == ["service idle", "reference idle"]


def test_the_committed_plot_is_that_of_the_committed_results(tmp_path: Path) -> None:
    """Match what the program draws, up to rounding on another processor."""
    shutil.copy(FOLDER / "results.json", tmp_path)
    committed, drawn = (np.asarray(Image.open(path), int) for path in (FOLDER / "results.png", draw(tmp_path)))
    assert committed.shape == drawn.shape, "run `python -m benchmarks.plot`"
    assert np.abs(committed - drawn).mean() < 0.5, "run `python -m benchmarks.plot`"
