"""Write the report of a training run."""

import json
import platform
from collections.abc import Mapping
from typing import Any

import torch

from export.data.own_digits import HELD_OUT_SHARE, OwnDigits
from export.model_folder import ModelFolder
from export.training.data import OWN
from export.training.device_dataset import DEVICE
from export.training.validate import ACCURACY


def write_report(report: Mapping[str, Any], folder: ModelFolder) -> None:
    """Write the training report as JSON."""
    folder.training_report.write_text(json.dumps(report, indent=2) + "\n")


def describe_own_digits(own: OwnDigits, report: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the own digits of a run: hash, counts, and the accuracy on the held-out ones, before and after it."""
    accuracy = {"before": report["start"][OWN + ACCURACY]} if "start" in report else {}
    return {
        "sha256": own.sha256,
        "held_out_share": HELD_OUT_SHARE,
        "training": len(own.training),
        "validation": len(own.held_out),
        "validation_accuracy": {**accuracy, "after": report["best"][OWN + ACCURACY]},
    }


def format_accuracies(report: Mapping[str, Any]) -> str:
    """Format the validation accuracies of a run, one line each, with those of the checkpoint that it started from."""
    lines = []
    for key in (key for key in report["best"] if key.endswith(ACCURACY)):
        name = key.removesuffix(ACCURACY).replace("_", " ")
        before = f" (before: {report['start'][key]:.2%})" if "start" in report else ""
        count = f", n = {report['own_digits']['validation']}" if key == OWN + ACCURACY else ""
        lines.append(f"Validation accuracy, {name}{count}: {report['best'][key]:.2%}{before}")
    return "\n".join(lines)


def device_name() -> str:
    """Return the name of the GPU, or of the processor with the number of threads."""
    if DEVICE.type == "cuda":
        return torch.cuda.get_device_name(DEVICE)
    name = torch.cpu.get_capabilities().get("cpu_name", platform.processor())
    threads = torch.get_num_threads()
    return f"{name}, {threads} thread{'s' * (threads > 1)}"
