"""Report an export: the measured latencies as a file, and a summary for the terminal."""

import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from export.build.quantize import (
    MAX_ACCURACY_LOSS,
    MAX_LATENCY_RATIO,
    MIN_AGREEMENT,
    RUNS_PER_ROUND,
    TIMING_ROUNDS,
    LatencyRatio,
)
from export.model_folder import RunFolder
from service.inference.contract import Contract


def write_report(latency: LatencyRatio, contract: Contract, run: RunFolder) -> None:
    """Write the measured latency ratio, and how it was measured, to `runs/NAME/export.json`."""
    report = {
        "model": contract.content["model"],
        "latency_ratio": {
            **{name: round(value, 3) for name, value in asdict(latency).items()},
            "unit": "int8 thread CPU time / fp32 thread CPU time",
            "batch_size": 1,
            "rounds": TIMING_ROUNDS,
            "runs_per_round": RUNS_PER_ROUND,
            "limit": MAX_LATENCY_RATIO,
        },
        "versions": {"python": platform.python_version(), "numpy": np.__version__, **contract.content["versions"]},
        "processor": torch.cpu.get_capabilities().get("cpu_name", platform.processor()),
    }
    run.path.mkdir(parents=True, exist_ok=True)
    run.export_report.write_text(json.dumps(report, indent=2) + "\n")


def format_summary(contract: Contract, latency: LatencyRatio, run: RunFolder) -> str:
    """Summarize an export in lines of text: accuracy, parity, and which file is served and why."""
    files = contract.content["files"]
    fp32, int8 = files["model.onnx"], files["model.int8.onnx"]
    parity, agreement = fp32["parity"], int8["parity"]["argmax_agreement"]
    reasons = contract.content["int8_rejected_because"]
    why = "int8 is rejected: " + "; ".join(reasons) if reasons else _accepted(fp32["accuracy"])
    return "\n".join(
        [
            f"Exported {contract.content['model']} to {contract.folder}.",
            *(f"Accuracy on {name}: {_accuracies(name, fp32, int8)}" for name in fp32["accuracy"]),
            f"Parity of fp32 with the checkpoint: logits differ by at most {parity['worst_logit_difference']:.0e}"
            f" (limit {parity['tolerance']:.0e}) on {sum(parity['images'].values()):,} images.",
            f"Agreement of int8 with fp32: {', '.join(f'{share:.2%} of {name}' for name, share in agreement.items())}.",
            f"Served: {contract.model_file.name}, because {why}.",
            f"int8 takes {latency.median:.2f} ({latency.minimum:.2f} to {latency.maximum:.2f}) of the fp32 CPU time;"
            f" see {run.export_report}.",
        ]
    )


def _accepted(measured: Collection[str]) -> str:
    """Write the conditions on which int8 is served, of those whose source was measured."""
    limits = {name: limit for name, limit in MAX_ACCURACY_LOSS.items() if name in measured}
    losses = " and ".join(f"{limit * 100:.2g} points on {name}" for name, limit in limits.items())
    return (
        f"int8 agrees with fp32 (at least {MIN_AGREEMENT:.2%}), loses at most {losses}, and takes at most"
        f" {MAX_LATENCY_RATIO} of the CPU time"
    )


def _accuracies(source: str, fp32: Mapping[str, Any], int8: Mapping[str, Any]) -> str:
    """Write the accuracy of both files on a source."""
    counts = {"fp32": fp32["accuracy"][source], "int8": int8["accuracy"][source]}
    shares = (
        f"{precision} {count['correct'] / count['images']:.2%} ({count['correct']:,} of {count['images']:,})"
        for precision, count in counts.items()
    )
    return ", ".join(shares) + "."
