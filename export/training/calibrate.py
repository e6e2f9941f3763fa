"""Calibrate the confidence: fit a temperature on validation data and fold it into the head."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.training.device_dataset import DeviceDataset, standardize

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
ITERATIONS = 60


def calibrate(network: nn.Module, datasets: Sequence[DeviceDataset]) -> float:
    """Divide the head's weights by the temperature that fits the datasets best. Returns the temperature.

    No prediction changes. The method is temperature scaling (Guo et al. 2017, "On calibration of modern neural
    networks").
    """
    logits = torch.cat([predict_logits(network, dataset) for dataset in datasets])
    temperature = fit_temperature(logits, torch.cat([dataset.labels for dataset in datasets]))
    with torch.no_grad():
        for parameter in network.get_submodule("head").parameters():
            parameter.div_(temperature)
    return temperature


@torch.inference_mode()
def predict_logits(network: nn.Module, dataset: DeviceDataset, batch_size: int = 1000) -> Tensor:
    """Compute the logits, float32 (N, 10), in evaluation mode and without augmentation."""
    network.eval()
    return torch.cat([network(standardize(images)) for images in dataset.images.split(batch_size)])


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Find the temperature in [0.05, 20] with the least cross-entropy: float32 (N, 10) and int64 (N,).

    Golden-section search over the logarithm of the temperature, in which the loss has a single minimum.
    """
    golden = (5**0.5 - 1) / 2
    low, high = torch.tensor([MIN_TEMPERATURE, MAX_TEMPERATURE]).log().tolist()
    for _ in range(ITERATIONS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _cross_entropy(logits, labels, left) < _cross_entropy(logits, labels, right):
            high = right
        else:
            low = left
    return float(torch.tensor((low + high) / 2).exp())


def _cross_entropy(logits: Tensor, labels: Tensor, log_temperature: float) -> float:
    """Compute the mean loss of logits, float32 (N, 10), at a temperature."""
    return float(F.cross_entropy(logits.double() / torch.tensor(log_temperature).double().exp(), labels))
