"""The learning rate of each step, and what the weight decay applies to."""

from typing import Any

from torch import nn


def learning_rate_factor(step: int, warm_up: float, total: int, decay: float) -> float:
    """Return the share of the peak learning rate at a step: it rises, stays, and falls in the last `decay` of `total`.

    Until it falls, it does not depend on `total` (Hägele et al. 2024).
    """
    return min((step + 1) / warm_up, 1.0, (total - step) / (decay * total))


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Group the parameters for the optimizer. Weight decay applies to matrices and kernels, not to biases and norms."""
    decayed = [parameter for parameter in network.parameters() if parameter.squeeze().ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.squeeze().ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
