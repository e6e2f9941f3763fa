"""Load a checkpoint: a state dict on disk becomes a network in evaluation mode."""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from export.errors import CheckpointError
from export.model import find_architecture

_IF_KEYS_DIFFER = (
    "Name its architecture with MODEL. If MODEL is right, save the bare network's state dict: no other key, no prefix."
)


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: the model's name, the file, and the network on the CPU in evaluation mode, float32."""

    name: str
    path: Path
    network: nn.Module


def load_checkpoint(name: str, path: Path, if_missing: str = "Check the path.") -> Checkpoint:
    """Load the state dict in the file `path` into a network of the architecture `name`.

    if_missing: what to do if there is no such file. Raises ExportError if the name is unknown, and CheckpointError,
    naming the first key or shape that does not fit.
    """
    network = find_architecture(name)()
    state = read_state(path, if_missing)
    check_state(path, state, network)
    network.load_state_dict(state)
    return Checkpoint(name, path, network.eval())


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_state(path: Path, if_missing: str) -> dict[str, torch.Tensor]:
    """Read a state dict. Raises CheckpointError; if the file is missing, its message ends with `if_missing`."""
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist. {if_missing}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}).") from error
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:  # torch's message advises to run unsafe code
        raise CheckpointError(
            f"{path} is not a checkpoint: PyTorch finds no plain tensors in it. Save the network's state dict with"
            " `torch.save(network.state_dict(), path)`."
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} holds a {type(state).__name__}. Save the network's state dict.")
    return state


def check_state(path: Path, state: dict[str, torch.Tensor], network: nn.Module) -> None:
    """Raise CheckpointError, naming the first key or shape of `state`, from `path`, that does not fit `network`."""
    expected = network.state_dict()
    for key in [*expected, *state]:
        if key not in state:
            unknown = next((f", but has {key}" for key in state if key not in expected), "")
            raise CheckpointError(f"{path} does not fit: it lacks {key}{unknown}. {_IF_KEYS_DIFFER}")
        if key not in expected:
            raise CheckpointError(f"{path} does not fit: the architecture has no {key}. {_IF_KEYS_DIFFER}")
        if not isinstance(state[key], torch.Tensor):
            raise CheckpointError(f"{path} does not fit: {key} is a {type(state[key]).__name__}, not a tensor.")
        if state[key].shape != expected[key].shape:
            actual, needed = tuple(state[key].shape), tuple(expected[key].shape)
            raise CheckpointError(f"{path} does not fit: {key} has shape {actual}, and the architecture {needed}.")


def save_state(state: Mapping[str, Any], path: Path) -> None:
    """Save a state dict. An interruption leaves the earlier file."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
