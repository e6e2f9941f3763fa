"""Pictures of how a model learnt, how far its confidence can be believed, and what it misreads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from export.metrics import BINS, reliability
from export.readings import Reading

TILE, CAPTION, COLUMNS = 84, 14, 10


def contact_sheet(readings: Sequence[Reading]) -> Image.Image:
    """What the model saw of each picture, large, with label, answer and confidence beneath it."""
    rows = max(1, -(-len(readings) // COLUMNS))
    sheet = Image.new("L", (COLUMNS * TILE, rows * (TILE + CAPTION)), 255)
    brush = ImageDraw.Draw(sheet)
    for place, reading in enumerate(readings):
        x, y = place % COLUMNS * TILE, place // COLUMNS * (TILE + CAPTION)
        sheet.paste(Image.fromarray(reading.canvas).resize((TILE, TILE), Image.Resampling.NEAREST), (x, y))
        said = f"as {reading.answer.digit}  {reading.answer.confidence:.0%}" if reading.answer else "refused"
        brush.text((x + 2, y + TILE), f"{reading.label} {said}", fill=0)
    return sheet


def training_curve(history: Sequence[Mapping[str, float]]) -> Figure:
    """Loss, and errors on each validation set, epoch by epoch."""
    figure = Figure((9, 3.2), layout="constrained")
    losses, errors = figure.subplots(1, 2)
    epochs = [epoch["epoch"] for epoch in history]
    for name in ("train_loss", "validation_loss"):
        losses.plot(epochs, [epoch[name] for epoch in history], label=name.replace("_", " "))
    for name in (name for name in history[0] if name.endswith("_accuracy")):
        errors.plot(epochs, [1 - epoch[name] for epoch in history], label=f"{name.removesuffix('_accuracy')} errors")
    for axes in (losses, errors):
        axes.set(xlabel="epoch", yscale="log")
        axes.legend()
    return figure


def reliability_diagram(sources: Mapping[str, Sequence[Reading]]) -> Figure:
    """Share of right answers against confidence; on the diagonal, confidence is what it promises."""
    figure = Figure((4.2 * len(sources), 4), layout="constrained")
    for axes, (name, readings) in zip(figure.subplots(1, len(sources), squeeze=False)[0], sources.items(), strict=True):
        count, confidence, right = reliability(readings).T
        axes.bar((np.arange(BINS) + 0.5) / BINS, right, 1 / BINS, edgecolor="white")
        axes.plot([0, 1], [0, 1], color="grey", linestyle="--")
        axes.plot(confidence[count > 0], right[count > 0], "o", color="black")
        axes.set(title=f"{name}, n = {len(readings):,}", xlabel="confidence", ylabel="share right")
    return figure


def confusion_matrix(sources: Mapping[str, Mapping[str, Any]]) -> Figure:
    """A confusion matrix for each source; rows are labels, columns answers, the last one refusals."""
    figure = Figure((5 * len(sources), 4.6), layout="constrained")
    for axes, (name, measured) in zip(figure.subplots(1, len(sources), squeeze=False)[0], sources.items(), strict=True):
        counts = np.array(measured["confusion"])
        axes.imshow(np.log1p(counts), cmap="Blues")
        for row, column in zip(*counts.nonzero(), strict=True):
            axes.text(
                column, row, counts[row, column], ha="center", va="center", fontsize=7, color=_ink(counts, row, column)
            )
        axes.set_xticks(range(11), [*map(str, range(10)), "none"])
        axes.set_yticks(range(10))
        axes.set(title=name, xlabel="answer", ylabel="label")
    return figure


def _ink(counts: NDArray[np.int64], row: int, column: int) -> str:
    return "white" if np.log1p(counts[row, column]) > 0.6 * np.log1p(counts.max()) else "black"
