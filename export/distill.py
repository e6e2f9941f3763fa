"""What teachers answer, for a smaller network to learn from: their doubts say more than labels do."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from export import checkpoint
from export.batches import DEVICE, FAST_BFLOAT16
from export.model import TEACHER

TEMPERATURE = 2.0
"""What the teachers' logits are divided by: at 1 they are too sure of nearly all to say anything."""


class Teachers:
    """Trained teachers whose logits are averaged (Hinton et al. 2015, "Distilling the knowledge in a neural network").

    The student learns their softened probabilities at temperature 1, so that its logits are of the size that
    smoothed labels teach; `calibrate` undoes that in the end, as it does for labels.
    """

    def __init__(self, checkpoints: Sequence[Path]) -> None:
        """Raises CheckpointError where a file is not a teacher's checkpoint."""
        self._dtype = torch.bfloat16 if FAST_BFLOAT16 else torch.float32
        self._networks = [_folded(checkpoint.load(TEACHER, path)).to(DEVICE, self._dtype) for path in checkpoints]

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """float32 (N, 1, 28, 28), standardised, to float32 (N, 10)."""
        images = images.to(DEVICE, self._dtype, memory_format=torch.channels_last)
        logits = torch.stack([network(images).float() for network in self._networks]).mean(dim=0)
        return (logits / TEMPERATURE).softmax(dim=1)


def _folded(teacher: nn.Module) -> nn.Module:
    """Each norm within the convolution before it: a third of the time less."""
    folded: list[nn.Module] = []
    for layer in teacher.get_submodule("features").children():
        if isinstance(layer, nn.BatchNorm2d) and isinstance(convolution := folded[-1], nn.Conv2d):
            folded[-1] = fuse_conv_bn_eval(convolution, layer)
        else:
            folded.append(nn.ReLU(inplace=True) if isinstance(layer, nn.ReLU) else layer)
    teacher.features = nn.Sequential(*folded)
    return teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types
