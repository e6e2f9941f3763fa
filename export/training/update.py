"""One update of the weights: loss, gradients, optimizer, moving average."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from export.model import find_architecture
from export.training.cuda_graph import CudaGraph
from export.training.device_dataset import DEVICE
from export.training.losses import training_loss
from export.training.recipe import Recipe
from export.training.schedule import parameter_groups

FAST_BFLOAT16 = DEVICE.type == "cuda" or bool(torch.cpu.get_capabilities().get("amx_bf16", False))
"""Whether the device multiplies bfloat16 matrices in hardware. Elsewhere float32 is faster."""

MAX_GRADIENT = 1.0
"""Norm to which the gradient is clipped."""

torch.backends.cudnn.benchmark = True  # all batches have one shape


class Updater:
    """A network in training, the moving average of its weights, and the optimizer."""

    def __init__(self, name: str, recipe: Recipe, start: nn.Module | None = None) -> None:
        """Initialize the network `name` with the weights of `start`, or with random ones."""
        self.recipe = recipe
        self.network = on_device(find_architecture(name)())
        if start is not None:
            self.network.load_state_dict(start.state_dict())
        self.average = deepcopy(self.network)
        rate = torch.tensor(recipe.learning_rate, device=DEVICE)
        groups = parameter_groups(self.network, recipe.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=rate, fused=True, capturable=DEVICE.type == "cuda")
        self._averaged, self._current = _weights(self.average), _weights(self.network)
        self._move_average = get_ema_multi_avg_fn(recipe.ema_decay)
        self._step = CudaGraph(self._update)

    def update(self, learning_rate: float, *batch: Tensor) -> Tensor:
        """Update the weights once. Returns the loss.

        batch: images, float32 (B, 1, 28, 28), labels, int64 (B,), and the answers of the teachers, float32 (B, 10), if
        there are any.
        """
        for group in self.optimizer.param_groups:
            group["lr"].fill_(learning_rate)
        return self._step(*batch)

    def _update(self, images: Tensor, labels: Tensor, taught: Tensor | None = None) -> Tensor:
        """Compute the loss and its gradients, and change weights and average."""
        self.optimizer.zero_grad()
        with mixed_precision():
            logits = self.network(images.to(memory_format=torch.channels_last)).float()
        if_right = self.recipe.is_own_teacher
        loss = training_loss(logits, labels, self.recipe.label_smoothing, taught, if_right=if_right)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT)
        self.optimizer.step()
        self._move_average(self._averaged, self._current, None)
        return loss.detach()


def mixed_precision() -> torch.autocast:
    """Return the context in which networks run in bfloat16, where that is fast. A CUDA graph allows no cache."""
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled=FAST_BFLOAT16, cache_enabled=False)


def on_device(network: nn.Module) -> nn.Module:
    """Move a network to DEVICE, in the memory format that is fast there."""
    network.to(DEVICE)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types


def _weights(network: nn.Module) -> Sequence[Tensor]:
    """Return parameters and statistics, without the counters of batch norm."""
    return [tensor.detach() for tensor in network.state_dict().values() if tensor.is_floating_point()]
