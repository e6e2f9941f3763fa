"""Plot training, calibration and confusion, and show the misread images."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from export.evaluation.metrics import BINS, reliability_bins
from export.evaluation.records import EvalRecord

TILE_SIDE, CAPTION_HEIGHT, COLUMNS = 84, 14, 10
MAX_TILES = 200

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
    """Plot accuracy by confidence for each source. A calibrated model lies on the diagonal."""
    figure = Figure((4.2 * len(sources), 4), layout="constrained")
    panels = figure.subplots(1, len(sources), squeeze=False)[0]
    for axes, (name, records) in zip(panels, sources.items(), strict=True):
        count, confidence, accuracy = reliability_bins(records).T
        axes.bar((np.arange(BINS) + 0.5) / BINS, accuracy, 1 / BINS, edgecolor="white")
        axes.plot([0, 1], [0, 1], color="gray", linestyle="--")
        axes.plot(confidence[count > 0], accuracy[count > 0], "o", color="black")
        axes.set(title=f"{name}, n = {len(records):,}", xlabel="confidence", ylabel="accuracy")
    return figure


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
