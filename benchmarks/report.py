"""Format the measurements as Markdown: medians, with minimum and maximum in brackets."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.observation import format_observation

SERVICE, REFERENCE = "service", "reference"

LOAD_COLUMNS = (("rate", "requests/s", "{:.0f}"), ("p50", "p50 ms", "{:.2f}"), ("p99", "p99 ms", "{:.2f}"))
"""Key, unit and format of each row of a load."""


def table(results: Mapping[str, Any]) -> str:
    """Return the report: one row per measurement, with this service, the reference and their ratio."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine.items() if name != "processor")
    rows = [
        ("", "service", "reference", "ratio"),
        ("---",) * 4,
        _row("seconds to the first response", results["seconds_to_first_answer"], "{:.2f}"),
        *(_row(f"MB (PSS), {when}", _memory(results, when), "{:.0f}") for when in ("idle", "after load")),
        *_load_rows(results["load"]),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(
        [
            "# Results of `make bench`",
            "",
            f"Medians of loads of {results['seconds_per_load']} s (large bodies and mixes: three times as long),"
            " with minimum and maximum in brackets.",
            "The server runs on one core, the load generator on another. Memory is read before and after all loads.",
            "",
            f"{machine['processor']}; {versions}",
            "",
            *lines,
            "",
            *_mix_note(results),
            *_stage_rows(results),
            "",
            *_observation_rows(results),
        ]
    )


def _observation_rows(results: Mapping[str, Any]) -> list[str]:
    """Format what metrics and access log cost, if the run measured it."""
    observation = results.get("microseconds_per_request")
    return [format_observation(observation), ""] if observation else []


def _mix_note(results: Mapping[str, Any]) -> Iterable[str]:
    """Say how many real images were sent, or why none were. Results of earlier versions say neither."""
    files = results.get("real_images")
    if files is not None:
        sent = f"{files} files of WILD_DIR, sent in turn" if isinstance(files, int) else f"not measured: {files}"
        yield from (f"Real images: {sent}.", "")


def _load_rows(loads: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for request, connections in dict.fromkeys((load["request"], load["connections"]) for load in loads):
        repeats = [load for load in loads if (load["request"], load["connections"]) == (request, connections)]
        name = f"{request}, {connections} connection{'s' * (connections > 1)}"
        for key, unit, form in LOAD_COLUMNS:
            values = {
                server: [load[key] for load in repeats if load["server"] == server] for server in (SERVICE, REFERENCE)
            }
            yield _row(f"{name}: {unit}", values, form, higher_is_better=key == "rate")


def _row(
    name: str, values: Mapping[str, Sequence[float]], form: str, higher_is_better: bool = False
) -> tuple[str, ...]:
    service, reference = statistics.median(values[SERVICE]), statistics.median(values[REFERENCE])
    better, worse = (service, reference) if higher_is_better else (reference, service)
    ratio = f"{better / worse:.1f}×" if better and worse else "no response in time"  # noqa: RUF001
    return name, _with_spread(values[SERVICE], form), _with_spread(values[REFERENCE], form), ratio


def _with_spread(values: Sequence[float], form: str) -> str:
    median = form.format(statistics.median(values))
    if len(values) == 1:
        return median
    return f"{median} ({form.format(min(values))} to {form.format(max(values))}, n = {len(values)})"


def _memory(results: Mapping[str, Any], when: str) -> dict[str, list[float]]:
    return {server: [megabytes[when]] for server, megabytes in results["megabytes"].items()}


def _stage_rows(results: Mapping[str, Any]) -> Iterable[str]:
    """Format milliseconds of one core: each stage alone, and the rest of a whole request at 16 connections."""
    stages = list(next(iter(results["stages"].values())))
    yield f"| one request, ms of one core | {' | '.join(stages)} | HTTP and the rest | total |"
    yield "| --- " * (len(stages) + 3) + "|"
    for image, milliseconds in results["stages"].items():
        rates = [
            load["rate"]
            for load in results["load"]
            if load["server"] == SERVICE and load["connections"] == 16 and load["request"] == f"{image}, multipart"
        ]
        if rates:
            total = 1e3 / statistics.median(rates)
            cells = [*milliseconds.values(), total - sum(milliseconds.values()), total]
            yield f"| {image} | {' | '.join(f'{cell:.3f}' for cell in cells)} |"
