"""Plots show every record, source and epoch."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from export.evaluation.metrics import compute_metrics, confidence_histogram, wilson_interval
from export.evaluation.plots import (
    CAPTION_HEIGHT,
    COLUMNS,
    MAX_TILES,
    TILE_SIDE,
    contact_sheet,
    plot_confusion,
    plot_reliability,
    plot_training,
)
from tests.export.evaluation.records import make_record

RECORDS = [make_record(1, 1, 0.9), make_record(2, 7, 0.4), make_record(3, None)]


@pytest.mark.parametrize("count", [1, COLUMNS, COLUMNS + 1])
def test_the_contact_sheet_shows_every_image_with_a_caption(count: int) -> None:
    """Places each image, enlarged three times, in a tile of its own, row by row, above its caption."""
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)
    records = [replace(make_record(2, 7, 0.4), image=image) for image in images]
    sheet = np.asarray(contact_sheet(records))
    rows = sheet.reshape(-1, TILE_SIDE + CAPTION_HEIGHT, COLUMNS, TILE_SIDE).swapaxes(1, 2)
    tiles = rows.reshape(-1, TILE_SIDE + CAPTION_HEIGHT, TILE_SIDE)
    for image, tile in zip(images, tiles, strict=False):
        assert np.array_equal(tile[:TILE_SIDE], image.repeat(3, axis=0).repeat(3, axis=1))
        assert tile[TILE_SIDE:].min() < 64  # dark text
    assert len(tiles) - count < COLUMNS
    assert all((tile == 255).all() for tile in tiles[count:])


def test_a_contact_sheet_shows_the_first_images_of_many() -> None:
    """Ends after MAX_TILES images."""
    height = np.asarray(contact_sheet([make_record(2, 7, 0.4)] * (MAX_TILES + 50))).shape[0]
    assert height == MAX_TILES // COLUMNS * (TILE_SIDE + CAPTION_HEIGHT)


def test_a_contact_sheet_of_nothing_is_blank() -> None:
    """Gives one empty row if the model misreads nothing."""
    sheet = np.asarray(contact_sheet([]))
    assert sheet.shape == (TILE_SIDE + CAPTION_HEIGHT, COLUMNS * TILE_SIDE)
    assert (sheet == 255).all()


def test_each_source_has_a_reliability_diagram_and_a_confusion_matrix() -> None:
    """Titles each panel with source and number of images, and writes every count that is not 0."""
    sources = {"one": RECORDS, "two": RECORDS * 2}
    titles = [axes.get_title() for axes in plot_reliability(sources).axes]
    assert titles == ["one, n = 3", "two, n = 6", "", ""]
    matrices = plot_confusion({name: compute_metrics(records) for name, records in sources.items()})
    assert sorted(text.get_text() for text in matrices.axes[1].texts) == ["2", "2", "2"]


def test_the_reliability_diagram_shows_counts_and_intervals() -> None:
    """Write the number of predictions above each bin, and draw the interval of those that have any."""
    records = [*[make_record(1, 1, 0.9)] * 9, make_record(1, 7, 0.9), make_record(2, 7, 0.4), make_record(3, None)]
    above, _ = plot_reliability({"some": records}).axes
    assert [text.get_text() for text in above.texts] == ["1", "10"]
    intervals = [np.asarray(line.get_ydata(), float).tolist() for line in above.lines[1::2]]
    assert intervals == [pytest.approx(wilson_interval(*counts)) for counts in ((0, 1), (9, 10))]


def test_the_histogram_tells_right_from_wrong_predictions() -> None:
    """Draw a bar for the predictions of each bin, and write its count."""
    records = [*[make_record(1, 1, 0.9)] * 9, make_record(1, 7, 0.9), make_record(2, 7, 0.4), make_record(3, None)]
    _, below = plot_reliability({"some": records}).axes
    heights = [bar.get_height() for bar in below.patches if isinstance(bar, Rectangle)]
    assert np.array_equal(np.array(heights).reshape(2, -1), confidence_histogram(records))
    assert [text.get_text() for text in below.texts if text.get_text()] == ["1", "1", "9"]
    assert below.get_ylim()[0] < 1, "a single prediction has a bar"


def test_the_training_curve_shows_every_epoch() -> None:
    """Plots both losses, and the error rate on each validation set."""
    history = [
        {"epoch": n, "train_loss": 1 / n, "validation_loss": 2 / n, "mnist_accuracy": 1 - 0.1 / n} for n in (1, 2, 3)
    ]
    losses, errors = plot_training(history).axes
    curves = [np.asarray(line.get_ydata(), float) for line in (*losses.lines, *errors.lines)]
    expected = [[1, 1 / 2, 1 / 3], [2, 1, 2 / 3], [0.1, 0.05, 0.1 / 3]]
    assert [curve.tolist() for curve in curves] == [pytest.approx(values) for values in expected]


def test_a_single_epoch_is_visible() -> None:
    """Marks the epochs of a short history: a line through one point would not show."""
    history = [{"epoch": 1, "train_loss": 1.0, "validation_loss": 2.0, "mnist_accuracy": 0.93}]
    losses, errors = plot_training(history).axes
    assert {line.get_marker() for line in (*losses.lines, *errors.lines)} == {"o"}
