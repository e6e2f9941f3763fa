"""Grow an earlier cnn-transformer, of two convolutions, into one of four that computes the same."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from export.model import find_architecture
from export.training.checkpoint import Checkpoint, check_state, read_state

MOVED = {"stem.3.": "stem.5.", "stem.4.": "stem.6."}
"""Old and new prefixes of the second convolution and its norm."""

ADDED = {"stem.3": 32, "stem.9": 64}
"""New convolutions and their channels."""


def load_start(name: str, path: Path) -> Checkpoint:
    """Load the checkpoint that a run of the model `name` starts from, and grow it if its stem has two convolutions.

    Raises ExportError if the name is unknown, and CheckpointError if the file does not fit.
    """
    network, state = find_architecture(name)(), read_state(path, "Check the path.")
    if name == "cnn-transformer" and has_two_convolutions(state):
        state = grow(state)
    check_state(path, state, network)
    network.load_state_dict(state)
    return Checkpoint(name, path, network.eval())


def has_two_convolutions(state: Mapping[str, Tensor]) -> bool:
    """Return whether a state dict is that of a cnn-transformer of two convolutions."""
    return "stem.3.weight" in state and "stem.5.weight" not in state


def grow(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Insert the new convolutions as identities. They follow a ReLU, so a ReLU after them changes nothing."""
    grown = {_new_key(key): value for key, value in state.items()}
    for prefix, channels in ADDED.items():
        grown[f"{prefix}.weight"] = nn.init.dirac_(torch.empty(channels, channels, 3, 3))
        grown[f"{prefix}.bias"] = torch.zeros(channels)
    return grown


def _new_key(key: str) -> str:
    for old, new in MOVED.items():
        if key.startswith(old):
            return key.replace(old, new)
    return key
