"""The tables of the model card, in Markdown. An accuracy has its 95% interval beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from export.evaluation.metrics import THRESHOLDS, wilson_interval

INTERVAL_NOTE = """\
The brackets hold the 95% interval of each accuracy (Wilson score). It is wide where images are few. Where the accuracy
of one model lies within the interval of another, these tables do not show which one is better. The intervals assume
independent images. Wild images of one writer are not independent, so their intervals are too narrow."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format rows below a header."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])


def source_table(sources: Mapping[str, Mapping[str, Any]]) -> str:
    """Show accuracy and calibration error, one row per source."""
    rows = (
        [name, f"{source['images']:,}", f"{source['correct']:,}", accuracy(source), f"{source['ece']:.2%}"]
        for name, source in sources.items()
    )
    return table(["source", "n", "correct", "accuracy", "ECE"], rows)


def digit_table(sources: Mapping[str, Mapping[str, Any]]) -> str:
    """Show the accuracy by label, one column per source."""
    rows = ([f"{digit}", *_digit_cells(sources, str(digit))] for digit in range(10))
    return table(["label", *sources], rows)


def threshold_table(sources: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Show what remains of each source, and how much of it is correct, if less confident predictions are rejected."""
    rows = (
        [name, threshold, f"{group['accepted']:,} ({group['share']:.1%})", _accepted_accuracy(group)]
        for name, thresholds in sources.items()
        for threshold, group in thresholds.items()
    )
    return table(["source", "confidence at least", "accepted", "accuracy of these"], rows)


def mishap_table(forms: Mapping[str, Mapping[str, Any]]) -> str:
    """Show accuracy and confidence, one row per form."""
    rows = (
        [name, f"{form['images']}", accuracy(form, decimals=1), f"{form['confidence']:.2f}"]
        for name, form in forms.items()
    )
    return table(["form", "n", "accuracy", "mean confidence"], rows)


def outlier_table(ood: Mapping[str, Any]) -> str:
    """Show the AUROC of each kind of outliers, and the share of them that gets a high confidence."""
    rows = (
        [kind, f"{area:.4f}", *(f"{ood['accepted'][kind][str(threshold)]:.1%}" for threshold in THRESHOLDS)]
        for kind, area in ood["auroc"].items()
    )
    return table(["outliers", "OOD detection AUROC", *(f"confidence ≥ {threshold}" for threshold in THRESHOLDS)], rows)


def accuracy(group: Mapping[str, Any], decimals: int = 2) -> str:
    """Format an accuracy with its interval, in percent."""
    low, high = wilson_interval(group["correct"], group["images"])
    return f"{group['accuracy']:.{decimals}%} ({100 * low:.{decimals}f} to {100 * high:.{decimals}f})"


def _accepted_accuracy(group: Mapping[str, Any]) -> str:
    if not group["accepted"]:
        return "none"
    counts = {"correct": group["correct"], "images": group["accepted"]}
    return accuracy({**counts, "accuracy": group["correct"] / group["accepted"]})


def _digit_cells(sources: Mapping[str, Mapping[str, Any]], digit: str) -> Iterable[str]:
    groups = (source["digits"].get(digit) for source in sources.values())
    return (f"{accuracy(group)} of {group['images']:,}" if group else "none" for group in groups)
