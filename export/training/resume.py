"""The state of an interrupted run: read it, and compare its settings."""

from collections.abc import Mapping
from typing import Any

import torch

from export.errors import ExportError
from export.model_folder import RunFolder
from export.training.device_dataset import DEVICE


def load_state(run: RunFolder) -> dict[str, Any]:
    """Load the state of the interrupted run in `run` to DEVICE."""
    return dict(torch.load(run.last_state, map_location=DEVICE, weights_only=True))


def check_resumable(identity: Mapping[str, Any], run: RunFolder) -> None:
    """Raise ExportError, naming the differences, if `run` holds an interrupted run that differs from `identity`."""
    if not run.last_state.exists():
        return
    saved = load_state(run)["identity"]
    differences = [
        f"{key} {saved.get(key)!r} instead of {value!r}" for key, value in identity.items() if saved.get(key) != value
    ]
    if differences:
        raise ExportError(
            f"{run.last_state} holds an interrupted run with {', '.join(differences)}."
            " Repeat its settings to finish it, or delete the file to start a new run."
        )
