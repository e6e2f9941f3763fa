"""The recipe of a training run. Imports no PyTorch."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """Everything that a run depends on, besides the data and the architecture.

    epoch_size: images per epoch of each part of the training data (MNIST, photographed, drawn, outliers, corrupted,
    numbers, corrupted outliers), drawn anew for each epoch. warm_up: epochs in which the learning rate rises. decay:
    share of the run, at its end, in which it falls linearly to 0. ema_decay: of the moving average of the weights,
    which is what is validated and saved. start_sha256: of the checkpoint that the run starts from; empty if it starts
    from random weights. start_share: how much of that checkpoint the published weights keep, 0 to 1.
    """

    epochs: int = 200
    epoch_size: tuple[int, ...] = (26_000, 9_000, 3_000, 4_000, 9_000, 3_000, 1_000)
    batch_size: int = 256
    learning_rate: float = 2e-3
    warm_up: float = 1.0
    decay: float = 0.5
    weight_decay: float = 0.05
    label_smoothing: float = 0.02
    ema_decay: float = 0.999
    seed: int = 0
    start_sha256: str = ""
    start_share: float = 0.0

    def settings(self, model: str) -> dict[str, Any]:
        """Return the settings of a run of `model`, as its report and its saved state name them."""
        settings = asdict(self)
        return {"model": model, **settings, "start": settings.pop("start_sha256")}
