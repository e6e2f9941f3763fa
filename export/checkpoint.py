"""A state dict on disk becomes a network in evaluation mode, or an error that says how it differs."""

import hashlib
import pickle
from pathlib import Path

import torch
from torch import nn

from export.errors import CheckpointError
from export.model import ARCHITECTURES

CHECKPOINT = "model_weights.pth"


def load(architecture: str, path: Path) -> nn.Module:
    """The network of `weights/NAME/model_weights.pth`, on the CPU, in float32.

    Raises CheckpointError, naming the first key or shape that does not fit.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist. Train a model with `make train`.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} is not a checkpoint that torch can read ({error}).") from error
    network = ARCHITECTURES[architecture]()
    _check_fit(path, state, network)
    network.load_state_dict(state)
    return network.eval()


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_fit(path: Path, state: object, network: nn.Module) -> None:
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} holds a {type(state).__name__}. Save the network's state dict.")
    wanted = network.state_dict()
    for key in [*wanted, *state]:
        if key not in state:
            raise CheckpointError(f"{path} does not fit: it lacks {key}.")
        if key not in wanted:
            raise CheckpointError(f"{path} does not fit: the architecture has no {key}.")
        if not isinstance(state[key], torch.Tensor):
            raise CheckpointError(f"{path} does not fit: {key} is a {type(state[key]).__name__}, not a tensor.")
        if state[key].shape != wanted[key].shape:
            found, needed = tuple(state[key].shape), tuple(wanted[key].shape)
            raise CheckpointError(f"{path} does not fit: {key} has shape {found}, and the architecture {needed}.")
