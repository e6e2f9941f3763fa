"""How a network is trained: numbers, and nothing that does anything."""

from dataclasses import dataclass

from export.model import TEACHER


@dataclass(frozen=True)
class Recipe:
    """All that a run depends on, beside the data and the architecture."""

    epochs: int = 120
    epoch_size: tuple[int, ...] = (55_000, 25_000, 8_000, 7_000)  # of each part, drawn anew for each epoch
    batch_size: int = 256
    learning_rate: float = 2e-3
    warm_up: float = 0.1  # share of the run in which the learning rate rises; it then falls as a cosine
    weight_decay: float = 0.05
    label_smoothing: float = 0.02
    ema_decay: float = 0.999  # of the running average of the weights, which is what is validated and kept
    seed: int = 0
    start: str = ""  # SHA-256 of the checkpoint that it starts from, or nothing: from random weights
    teachers: tuple[str, ...] = ()  # SHA-256 of the checkpoints of those who teach the plain part, in place of labels


TEACHING = Recipe(epochs=28, epoch_size=(55_000, 0, 0, 0), label_smoothing=0.0)
"""A teacher sees MNIST alone, and learns to be as sure as it can: its doubts are what it is for."""


def recipe_for(model: str) -> Recipe:
    """What `make train` follows where it is told nothing else."""
    return TEACHING if model == TEACHER else Recipe()
