"""Write the report of a training run."""

import json
import platform
from collections.abc import Mapping
from typing import Any

import torch

from export.model_folder import ModelFolder
from export.training.device_dataset import DEVICE


def write_report(report: Mapping[str, Any], folder: ModelFolder) -> None:
    """Write the training report as JSON."""
    folder.training_report.write_text(json.dumps(report, indent=2) + "\n")


def device_name() -> str:
    """Return the name of the GPU, or of the processor with the number of threads."""
    if DEVICE.type == "cuda":
        return torch.cuda.get_device_name(DEVICE)
    name = torch.cpu.get_capabilities().get("cpu_name", platform.processor())
    threads = torch.get_num_threads()
    return f"{name}, {threads} thread{'s' * (threads > 1)}"
