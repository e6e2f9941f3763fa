"""Report a soak: a summary, a JSON file and a plot of memory and latency over time."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tests.soak.run import SETTINGS, Soak

COLORS = {"small": "C0", "batch": "C1", "photo": "C3", "/health": "C2"}
"""Kinds whose latency is drawn."""

WINDOWS = 60
"""Intervals of the latency plot."""


def summary(soak: Soak) -> str:
    """Describe counts, latencies and the verdict, one line each."""
    record = soak.record
    lines = [f"{'kind':20} {'responses':>9} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}"]
    for kind, seconds in _by_kind(soak).items():
        p50, p99, most = (1_000 * np.percentile(seconds, (50, 99, 100))).tolist()
        lines.append(f"{kind:20} {seconds.size:9,} {p50:8.1f} {p99:8.1f} {most:8.1f}")
    others = {key: count for key, count in record.counts.items() if key not in _by_kind(soak)}
    lines += [f"{key:20} {count:9,}" for key, count in others.items()]
    for name in ("memory", "unique"):
        first, last, most = (
            getattr(sample, name) / 1e6
            for sample in (record.levels[0], record.levels[-1], max(record.samples, key=attrgetter(name)))
        )
        lines.append(f"{name:10} between loads {first:.1f} to {last:.1f} MB, peak {most:.1f} MB")
    lines += record.failures
    lines += [f"{'ok' if check.holds else 'BREACH':6} {check.name}: {check.measured}" for check in soak.checks]
    return "\n".join(lines)


def write(soak: Soak, folder: Path) -> None:
    """Write `soak.json` and `soak.png` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.json").write_text(json.dumps(_content(soak), indent=1) + "\n")
    plot(soak).savefig(folder / "soak.png", dpi=120)


def _content(soak: Soak) -> dict[str, Any]:
    record = soak.record
    return {
        "holds": soak.holds,
        "settings": SETTINGS,
        "warm_up": soak.warm_up,
        "checks": [asdict(check) for check in soak.checks],
        "counts": dict(sorted(record.counts.items())),
        "failures": record.failures,
        "events": record.events,
        "levels": [asdict(level) for level in record.levels],
        "samples": [asdict(sample) for sample in record.samples],
        "latency": {
            kind: dict(zip(("p50", "p99", "max"), np.percentile(seconds, (50, 99, 100)).tolist(), strict=True))
            for kind, seconds in _by_kind(soak).items()
        },
    }


def _by_kind(soak: Soak) -> dict[str, NDArray[np.float64]]:
    """Return the latencies of each kind in seconds: float64 (N,)."""
    kinds = sorted({kind for _, kind, _ in soak.record.latencies})
    return {kind: np.array([s for _, of, s in soak.record.latencies if of == kind]) for kind in kinds}


def plot(soak: Soak) -> Figure:
    """Draw memory, descriptors and threads, and latency over time."""
    figure = Figure((10, 8), layout="constrained")
    memory, counts, latency = figure.subplots(3, 1, sharex=True)
    _plot_memory(memory, soak)
    _plot_counts(counts, soak)
    _plot_latency(latency, soak)
    for axes in (memory, counts, latency):
        axes.axvline(soak.warm_up, color="gray", linestyle=":")
        axes.grid(alpha=0.3)
        for at, event in soak.record.events:
            if event == "kill":
                axes.axvline(at, color="black", linestyle="--")
    latency.set(xlabel="seconds (dotted: end of warm-up; dashed: a worker was killed)")
    return figure


def _plot_memory(axes: Axes, soak: Soak) -> None:
    samples, levels = soak.record.samples, soak.record.levels
    for name, color in (("memory", "C0"), ("unique", "C1")):
        axes.plot([s.at for s in samples], [getattr(s, name) / 1e6 for s in samples], color=color, linewidth=0.3)
        axes.plot([s.at for s in levels], [getattr(s, name) / 1e6 for s in levels], "o-", color=color, markersize=3)
    labels = ["shared pages in each process: under load", "between loads", "shared pages once", "between loads"]
    axes.legend(labels, loc="upper right", ncols=2)
    axes.set(ylabel="anonymous memory, MB", ylim=0, title=", ".join(f"{c.name}: {c.measured}" for c in soak.checks[:3]))


def _plot_counts(axes: Axes, soak: Soak) -> None:
    levels = soak.record.levels
    for name in ("descriptors", "threads"):
        axes.plot([s.at for s in levels], [getattr(s, name) for s in levels], "o-", markersize=3, label=name)
    axes.set(ylabel="between loads", ylim=0)
    axes.legend(loc="upper right")


def _plot_latency(axes: Axes, soak: Soak) -> None:
    for kind, color in COLORS.items():
        for percent, style in ((50, "-"), (99, ":")):
            points = list(_percentiles(soak, kind, percent))
            axes.plot(*zip(*points, strict=True), style, color=color, label=f"{kind} p{percent}")
    axes.set(ylabel="latency, ms", yscale="log")
    axes.legend(loc="upper right", ncols=len(COLORS))


def _percentiles(soak: Soak, kind: str, percent: float) -> Iterator[tuple[float, float]]:
    """Yield the middle of each interval in seconds, and the percentile of its latencies in milliseconds."""
    pairs = np.array([(at, seconds) for at, of, seconds in soak.record.latencies if of == kind])
    width = soak.record.samples[-1].at / WINDOWS
    for window in range(WINDOWS):
        inside = pairs[(pairs[:, 0] // width).astype(int) == window, 1]
        if inside.size:
            yield (window + 0.5) * width, 1_000 * float(np.percentile(inside, percent))
