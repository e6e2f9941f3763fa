"""The targets and the loss of training."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.data.dataset import OUTLIER_LABEL

TEACHER_SHARE = 0.7
"""Weight of the teachers' answers in the loss. The rest is the weight of the labels."""

TEACHER_TEMPERATURE = 2.0

CHUNK = 2048
"""Images that a teacher reads at once, to bound the memory."""


def soft_targets(labels: Tensor, num_classes: int, smoothing: float) -> Tensor:
    """Convert labels, int64 (B,), to target probabilities, float32 (B, C): smoothed labels; uniform for outliers.

    The uniform target is that of outlier exposure (Hendrycks et al. 2019, "Deep anomaly detection with outlier
    exposure").
    """
    smoothed = F.one_hot(labels.clamp(min=0), num_classes) * (1 - smoothing) + smoothing / num_classes
    return smoothed.masked_fill((labels == OUTLIER_LABEL)[:, None], 1 / num_classes)


def training_loss(
    logits: Tensor, labels: Tensor, smoothing: float, taught: Tensor | None = None, *, if_right: bool = False
) -> Tensor:
    """Compute the mean loss of a batch, logits float32 (B, C) and labels int64 (B,): a scalar.

    taught: the probabilities of the teachers, float32 (B, C). if_right: whether they count only for the images that
    they read as labeled, and for outliers.
    """
    labeled = F.cross_entropy(logits, soft_targets(labels, logits.shape[1], smoothing), reduction="none")
    if taught is None:
        return labeled.mean()
    counts = (taught.argmax(dim=1) == labels) | (labels == OUTLIER_LABEL) | (not if_right)
    return torch.lerp(labeled, distillation_loss(logits, taught), TEACHER_SHARE * counts.float()).mean()


def distillation_loss(logits: Tensor, taught: Tensor) -> Tensor:
    """Compare logits, float32 (B, C), with the probabilities of the teachers, float32 (B, C): float32 (B,).

    Hinton et al. 2015, "Distilling the knowledge in a neural network". The factor keeps the gradient's scale.
    """
    return F.cross_entropy(logits / TEACHER_TEMPERATURE, taught, reduction="none") * TEACHER_TEMPERATURE**2


@torch.no_grad()
def teach(teachers: Sequence[nn.Module], images: Tensor) -> Tensor:
    """Return the mean probabilities of the teachers at TEACHER_TEMPERATURE: float32 (M, 1, 28, 28) to (M, C)."""
    return torch.cat([_mean_answer(teachers, chunk) for chunk in images.split(CHUNK)])


def _mean_answer(teachers: Sequence[nn.Module], images: Tensor) -> Tensor:
    """Return what `teach` does, for images that fit in memory at once."""
    images = images.to(memory_format=torch.channels_last)
    answers = [(teacher(images).float() / TEACHER_TEMPERATURE).softmax(dim=1) for teacher in teachers]
    return torch.stack(answers).mean(dim=0)
