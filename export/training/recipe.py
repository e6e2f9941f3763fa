"""The recipe of a training run. Imports no PyTorch."""

from dataclasses import asdict, dataclass, replace
from typing import Any

OWN_SHARE = 0.25
"""Own digits per epoch, relative to all other images."""

MAX_OWN_REPEATS = 20
"""Times that an epoch shows one of the own digits, each time augmented differently. A few dozen would be memorized."""


@dataclass(frozen=True)
class Recipe:
    """Everything that a run depends on, besides the data and the architecture.

    share: of MNIST's training images, and of those rendered from them, that the run uses. epoch_size: images per epoch
    of each part of the training data (MNIST, photographed, drawn, outliers, corrupted, mishaps, numbers, corrupted
    outliers, and own digits if there are any), drawn anew for each epoch. passes: times that an epoch goes over its
    images, which are augmented, and read by the teachers, only once (data echoing, Choi et al. 2019, "Faster neural
    network training with data echoing"). warm_up: epochs in which the learning rate rises. decay: share of the run, at
    its end, in which it falls linearly to 0. augmentation: strength of the changes of shape, above 0, at most 1.
    ema_decay: of the moving average of the weights, which is what is validated and saved. start_sha256: of the
    checkpoint that the run starts from; empty if it starts from random weights. teacher_sha256: of the checkpoints that
    it learns from besides the labels. is_own_teacher: whether the checkpoint that the run starts from is one of the
    teachers, and these count only where they are right, so that the network keeps what it can (Li and Hoiem 2016,
    "Learning without forgetting"). own_sha256: of the own digits, as OwnDigits has it.
    """

    epochs: int = 200
    share: float = 1.0
    epoch_size: tuple[int, ...] = (26_000, 10_000, 3_000, 4_000, 12_000, 6_000, 4_000, 1_500)
    passes: int = 1
    batch_size: int = 512
    learning_rate: float = 2e-3
    warm_up: float = 1.0
    decay: float = 0.5
    weight_decay: float = 0.05
    label_smoothing: float = 0.02
    augmentation: float = 1.0
    ema_decay: float = 0.999
    seed: int = 0
    start_sha256: str = ""
    teacher_sha256: tuple[str, ...] = ()
    is_own_teacher: bool = False
    own_sha256: str = ""

    def settings(self, model: str) -> dict[str, Any]:
        """Return the settings of a run of `model`, as its report and its saved state name them."""
        return {"model": model, **asdict(self)}

    def scaled(self, share: float) -> "Recipe":
        """Return the recipe with this share of the images, in all and per epoch."""
        return replace(self, share=share, epoch_size=tuple(round(share * size) for size in Recipe.epoch_size))

    def with_own_digits(self, count: int, sha256: str) -> "Recipe":
        """Return the recipe with `count` own training digits of this hash, repeated in each epoch to OWN_SHARE."""
        own = min(MAX_OWN_REPEATS * count, round(OWN_SHARE * sum(self.epoch_size)))
        return replace(self, epoch_size=(*self.epoch_size, own), own_sha256=sha256)


FINE_TUNING = Recipe(epochs=5, learning_rate=3e-4, ema_decay=0.98, is_own_teacher=True).scaled(0.2)
"""For own digits, from a trained checkpoint: minutes on a CPU."""
