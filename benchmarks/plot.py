"""Draw the results of `make bench` beside the reference.

`python -m benchmarks.plot FOLDER` draws FOLDER/results.json, by default that of this folder.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from benchmarks.report import REFERENCE, SERVICE

PANELS = {"rate": "requests/s", "p50": "p50 latency", "p99": "p99 latency"}
"""What is compared, by the key of its measurement."""

COLORS = {SERVICE: "C0", REFERENCE: "C7"}
CONNECTION_COLORS = {1: "C0", 16: "C1", 64: "C2"}


def plot(results: Mapping[str, Any]) -> Figure:
    """Draw the ratios of all loads, and seconds to the first response and memory."""
    figure = Figure((12, 9.5), layout="constrained")
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(5, 1))[:, 0]
    loads = results["load"]
    requests = list(dict.fromkeys(load["request"] for load in loads))
    panels = above.subplots(1, len(PANELS), sharey=True, squeeze=False)[0]
    for axes, (key, name) in zip(panels, PANELS.items(), strict=True):
        _plot_ratios(axes, requests, loads, key)
        axes.set(title=name, xlabel="ratio to the reference, above 1 is better")
    panels[0].set(yticks=range(len(requests)), yticklabels=requests, ylim=(len(requests) - 0.5, -0.5))
    handles, counts = panels[0].get_legend_handles_labels()
    above.legend(handles, [f"connections: {count}" for count in counts], loc="outside upper right", ncols=len(counts))
    start, memory = below.subplots(1, 2)
    _plot_bars(start, {"": results["seconds_to_first_answer"]}, "seconds to the first response")
    _plot_bars(memory, _memory(results), "MB (PSS)")
    return figure


def _plot_ratios(axes: Axes, requests: Sequence[str], loads: Sequence[Mapping[str, Any]], key: str) -> None:
    """Draw one row per request: for each number of connections the median of the rounds, and a line to both ends."""
    connections = sorted({load["connections"] for load in loads})
    for index, count in enumerate(connections):
        rows = np.arange(len(requests)) + 0.2 * (index - (len(connections) - 1) / 2)
        ratios = [list(round_ratios(loads, request, count, key)) for request in requests]
        shown = [(row, values) for row, values in zip(rows, ratios, strict=True) if values]
        color = CONNECTION_COLORS.get(count, f"C{index}")
        axes.hlines([r for r, _ in shown], [min(v) for _, v in shown], [max(v) for _, v in shown], color=color)
        axes.plot([np.median(v) for _, v in shown], [r for r, _ in shown], "o", color=color, markersize=4, label=count)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xticks=(0.5, 1, 2, 5))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", alpha=0.3)


def round_ratios(loads: Sequence[Mapping[str, Any]], request: str, connections: int, key: str) -> Iterator[float]:
    """Yield how many times as good the service was in each round. A round without a response in time is left out.

    Both servers are measured one after the other in each round, so that other load on the machine affects both.
    """
    service, reference = (
        [
            load[key]
            for load in loads
            if (load["request"], load["connections"], load["server"]) == (request, connections, server)
        ]
        for server in (SERVICE, REFERENCE)
    )
    for ours, theirs in zip(service, reference, strict=True):
        if ours and theirs:
            yield ours / theirs if key == "rate" else theirs / ours


def _memory(results: Mapping[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Return the megabytes of each server by the time of the measurement."""
    megabytes = results["megabytes"]
    return {when: {server: [megabytes[server][when]] for server in COLORS} for when in ("idle", "after load")}


def _plot_bars(axes: Axes, groups: Mapping[str, Mapping[str, Sequence[float]]], label: str) -> None:
    """Draw the median of each server in each group, with its value and a line from minimum to maximum."""
    names = [f"{server} {group}".strip() for group, server in product(groups, COLORS)]
    for row, (group, server) in enumerate(product(groups, COLORS)):
        values = groups[group][server]
        axes.barh(row, float(np.median(values)), color=COLORS[server])
        axes.hlines(row, min(values), max(values), color="black")
        axes.text(max(values), row, f"  {np.median(values):.3g}", va="center")
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel=label)
    axes.margins(x=0.15)
    axes.invert_yaxis()


def draw(folder: Path) -> Path:
    """Draw `results.json` of a folder as `results.png` beside it."""
    results = json.loads((folder / "results.json").read_text())
    plot(results).savefig(folder / "results.png", dpi=90)
    return folder / "results.png"


if __name__ == "__main__":
    print(draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
