"""Confidence that means what it says: one temperature, fitted on validation data, folded into the head."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.batches import Examples, standardise

ROUNDS = 60


def calibrate(network: nn.Module, examples: Examples) -> float:
    """Divide the head's weights by the temperature that fits `examples` best; returns the temperature.

    No answer changes. The method is temperature scaling (Guo et al. 2017, "On calibration of modern neural
    networks").
    """
    temperature = fit(logits(network, examples), examples.labels)
    with torch.no_grad():
        for parameter in network.get_submodule("head").parameters():
            parameter.div_(temperature)
    return temperature


@torch.inference_mode()
def logits(network: nn.Module, examples: Examples, batch: int = 500) -> Tensor:
    """float32 (N, 10), in evaluation mode, without augmentation."""
    network.eval()
    return torch.cat([network(standardise(canvases)) for canvases in examples.canvases.split(batch)])


def fit(scores: Tensor, labels: Tensor) -> float:
    """The temperature, 0.05 to 20, with the least cross-entropy: logits (N, 10), labels (N,).

    A golden-section search over its logarithm, in which the loss has a single minimum.
    """
    golden = (5**0.5 - 1) / 2
    low, high = torch.tensor([0.05, 20.0]).log().tolist()
    for _ in range(ROUNDS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _loss(scores, labels, left) < _loss(scores, labels, right):
            high = right
        else:
            low = left
    return float(torch.tensor((low + high) / 2).exp())


def _loss(scores: Tensor, labels: Tensor, log_temperature: float) -> float:
    return float(F.cross_entropy(scores.double() / torch.tensor(log_temperature).double().exp(), labels))
