"""Plot training, calibration, confidence and confusion, and show the misread images."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from export.evaluation.metrics import (
    BINS,
    HISTOGRAM_EDGES,
    confidence_histogram,
    reliability_bins,
    wilson_interval,
)
from export.evaluation.records import EvalRecord

TILE_SIDE, CAPTION_HEIGHT, COLUMNS = 84, 14, 10
MAX_TILES = 200

BIN_CENTERS = (np.arange(BINS) + 0.5) / BINS

MAX_MARKED_EPOCHS = 20
"""Epochs up to which each one has a marker: a line through one point is invisible."""


def contact_sheet(records: Sequence[EvalRecord]) -> Image.Image:
    """Show the model's input of each record, enlarged, captioned with label, prediction and confidence: mode L.

    At most MAX_TILES records are shown, the first ones.
    """
    records = records[:MAX_TILES]
    rows = max(1, -(-len(records) // COLUMNS))
    sheet = Image.new("L", (COLUMNS * TILE_SIDE, rows * (TILE_SIDE + CAPTION_HEIGHT)), 255)
    brush = ImageDraw.Draw(sheet)
    for index, record in enumerate(records):
        x, y = index % COLUMNS * TILE_SIDE, index // COLUMNS * (TILE_SIDE + CAPTION_HEIGHT)
        tile = Image.fromarray(record.image).resize((TILE_SIDE, TILE_SIDE), Image.Resampling.NEAREST)
        sheet.paste(tile, (x, y))
        prediction = f"{record.prediction.digit} {record.confidence:.0%}" if record.prediction else "none"
        brush.text((x + 2, y + TILE_SIDE), f"{record.label}\N{RIGHTWARDS ARROW}{prediction}", fill=0, font=_font())
    return sheet


@cache
def _font() -> ImageFont.FreeTypeFont:
    """Load matplotlib's font: it has an arrow, and is the same on every machine."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), CAPTION_HEIGHT - 3)


def plot_training(history: Sequence[Mapping[str, float]]) -> Figure:
    """Plot the losses, and the error rate on each validation set, by epoch."""
    figure = Figure((9, 3.2), layout="constrained")
    losses, errors = figure.subplots(1, 2)
    epochs = [epoch["epoch"] for epoch in history]
    marker = "o" if len(history) <= MAX_MARKED_EPOCHS else ""
    for name in ("train_loss", "validation_loss"):
        losses.plot(epochs, [epoch[name] for epoch in history], label=name.replace("_", " "), marker=marker)
    for name in (name for name in history[0] if name.endswith("_accuracy")):
        label = name.removesuffix("_accuracy")
        errors.plot(epochs, [1 - epoch[name] for epoch in history], label=label, marker=marker)
    for axes, ylabel in ((losses, "cross-entropy"), (errors, "error rate")):
        axes.set(xlabel="epoch", ylabel=ylabel, yscale="log")
        axes.legend()
    return figure


def plot_reliability(sources: Mapping[str, Sequence[EvalRecord]]) -> Figure:
    """Plot accuracy by confidence for each source, and below it the numbers of right and wrong predictions.

    A calibrated model lies on the diagonal, up to the 95% interval of each bin.
    """
    figure = Figure((4.2 * len(sources), 6), layout="constrained")
    panels = figure.subplots(2, len(sources), squeeze=False, height_ratios=(2, 1))
    for above, below, (name, records) in zip(*panels, sources.items(), strict=True):
        _plot_calibration(above, reliability_bins(records))
        _plot_histogram(below, confidence_histogram(records))
        above.set(title=f"{name}, n = {len(records):,}", xlabel="confidence", ylabel="accuracy")
        below.set(xlabel="confidence", ylabel="predictions")
    return figure


def _plot_calibration(axes: Axes, bins: NDArray[np.float64]) -> None:
    """Draw each bin of `reliability_bins` as a bar with its interval, its mean confidence and its count."""
    axes.bar(BIN_CENTERS, bins[:, 2], 1 / BINS, edgecolor="white")
    axes.plot([0, 1], [0, 1], color="gray", linestyle="--")
    for center, (count, confidence, accuracy) in zip(BIN_CENTERS, bins, strict=True):
        if count:
            axes.text(center, 1.03, f"{count:,.0f}", rotation=90, ha="center", va="bottom", fontsize=7)
            axes.plot([confidence] * 2, wilson_interval(round(count * accuracy), round(count)), color="gray")
            axes.plot(confidence, accuracy, "o", color="black", markersize=4)
    axes.set(ylim=(0, 1.25), yticks=np.arange(0, 1.1, 0.2))


def _plot_histogram(axes: Axes, counts: NDArray[np.int64]) -> None:
    """Draw each bin of `confidence_histogram` as two bars with their counts, as wide as the other bins."""
    for offset, label, color, bars in ((-0.2, "wrong", "C3", counts[0]), (0.2, "right", "C0", counts[1])):
        drawn = axes.bar(np.arange(len(bars)) + 0.5 + offset, bars, 0.4, label=label, color=color)
        axes.bar_label(drawn, [f"{count:,}" if count else "" for count in bars], fontsize=6)
    axes.set_xticks(range(len(HISTOGRAM_EDGES)), [f"{edge:g}" for edge in HISTOGRAM_EDGES], rotation=45)
    axes.set(yscale="log", ylim=(0.5, 5 * max(1, counts.max())))  # a single prediction is visible, too
    axes.legend(loc="upper left")


def plot_confusion(metrics: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Plot the confusion matrix of each source: rows are labels, columns predictions; the last column is rejections."""
    figure = Figure((5 * len(metrics), 5.2), layout="constrained")
    panels = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axes, (name, source) in zip(panels, metrics.items(), strict=True):
        counts = np.array(source["confusion"])
        axes.imshow(np.log1p(counts), cmap="Blues")
        for row, column in zip(*counts.nonzero(), strict=True):
            color = _text_color(counts, row, column)
            axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=7, color=color)
        axes.set_xticks(range(11), [*map(str, range(10)), "none"])
        axes.set_yticks(range(10))
        axes.set(title=name, xlabel="prediction", ylabel="label")
    return figure


def _text_color(counts: NDArray[np.int64], row: int, column: int) -> str:
    """Return the color that stands out from the cell of a confusion matrix."""
    return "white" if np.log1p(counts[row, column]) > 0.6 * np.log1p(counts.max()) else "black"
