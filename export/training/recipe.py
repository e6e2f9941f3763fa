"""The recipe of a training run. Imports no PyTorch."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """Everything that a run depends on, besides the data and the architecture.

    epoch_size: images per epoch of each part of the training data (MNIST, photographed, drawn, outliers, corrupted,
    mishaps, numbers, corrupted outliers), drawn anew for each epoch. warm_up: epochs in which the learning rate rises.
    decay: share of the run, at its end, in which it falls linearly to 0. ema_decay: of the moving average of the
    weights, which is what is validated and saved. start_sha256: of the checkpoint that the run starts from; empty if it
    starts from random weights. teacher_sha256: of the checkpoints that it learns from besides the labels.
    """

    epochs: int = 200
    epoch_size: tuple[int, ...] = (26_000, 10_000, 3_000, 4_000, 12_000, 6_000, 4_000, 1_500)
    batch_size: int = 512
    learning_rate: float = 2e-3
    warm_up: float = 1.0
    decay: float = 0.5
    weight_decay: float = 0.05
    label_smoothing: float = 0.02
    ema_decay: float = 0.999
    seed: int = 0
    start_sha256: str = ""
    teacher_sha256: tuple[str, ...] = ()

    def settings(self, model: str) -> dict[str, Any]:
        """Return the settings of a run of `model`, as its report and its saved state name them."""
        return {"model": model, **asdict(self)}
