"""What was measured, as one table: medians, and from least to most in brackets."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

OURS, THEIRS = "service", "reference"


def table(results: Mapping[str, Any]) -> str:
    """Markdown, a row for each measurement: this service, the reference, and how many times better it is."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine.items() if name != "processor")
    rows = [
        ("", "service", "reference", "ratio"),
        ("---",) * 4,
        _row("seconds to the first answer", results["seconds_to_first_answer"], "{:.2f}"),
        *(_row(f"megabytes, {when}", _of(results["megabytes"], when), "{:.0f}") for when in ("idle", "after load")),
        *_load_rows(results["load"]),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"{machine['processor']}; {versions}", "", *lines, "", *_parts(results)]) + "\n"


def _load_rows(loads: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for request, connections in dict.fromkeys((load["request"], load["connections"]) for load in loads):
        those = [load for load in loads if (load["request"], load["connections"]) == (request, connections)]
        name = f"{request}, {connections} connection{'s' * (connections > 1)}"
        for key, unit, form in (
            ("rate", "requests/s", "{:.0f}"),
            ("p50", "p50 ms", "{:.2f}"),
            ("p99", "p99 ms", "{:.2f}"),
        ):
            values = {server: [load[key] for load in those if load["server"] == server] for server in (OURS, THEIRS)}
            yield _row(f"{name}: {unit}", values, form, more_is_better=key == "rate")


def _row(name: str, values: Mapping[str, Sequence[float]], form: str, more_is_better: bool = False) -> tuple[str, ...]:
    ours, theirs = statistics.median(values[OURS]), statistics.median(values[THEIRS])
    better, worse = (ours, theirs) if more_is_better else (theirs, ours)
    ratio = f"{better / worse:.1f}×" if better and worse else "no answer in time"  # noqa: RUF001
    return name, _shown(values[OURS], form), _shown(values[THEIRS], form), ratio


def _shown(values: Sequence[float], form: str) -> str:
    spread = (
        f" ({form.format(min(values))} to {form.format(max(values))}, n = {len(values)})" if len(values) > 1 else ""
    )
    return form.format(statistics.median(values)) + spread


def _of(megabytes: Mapping[str, Mapping[str, float]], when: str) -> dict[str, list[float]]:
    return {server: [found[when]] for server, found in megabytes.items()}


def _parts(results: Mapping[str, Any]) -> Iterable[str]:
    """Milliseconds of one core: each part by itself, and what a request takes over them at 16 connections."""
    names = list(next(iter(results["parts"].values())))
    yield f"| one request, ms of one core | {' | '.join(names)} | HTTP and the rest | all |"
    yield "| --- " * (len(names) + 3) + "|"
    for picture, found in results["parts"].items():
        rates = [
            load["rate"]
            for load in results["load"]
            if load["server"] == OURS and load["connections"] == 16 and load["request"] == f"{picture}, multipart"
        ]
        if rates:
            whole = 1e3 / statistics.median(rates)
            cells = [*found.values(), whole - sum(found.values()), whole]
            yield f"| {picture} | {' | '.join(f'{cell:.3f}' for cell in cells)} |"
