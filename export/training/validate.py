"""Measure a network on validation images."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from export.training.calibrate import fit_temperature, predict_logits
from export.training.device_dataset import DeviceDataset

ACCURACY = "_accuracy"
"""Suffix of the accuracy on a dataset, after the dataset's name."""


@torch.inference_mode()
def validate(network: nn.Module, datasets: Mapping[str, DeviceDataset]) -> dict[str, float]:
    """Measure a network in float32: the accuracy on each dataset, and the mean loss at the best temperature.

    Without the temperature, a network that learns from soft targets would seem worse than it is.
    """
    logits = {name: predict_logits(network, dataset) for name, dataset in datasets.items()}
    labels = {name: dataset.labels for name, dataset in datasets.items()}
    temperature = fit_temperature(torch.cat([*logits.values()]), torch.cat([*labels.values()]))
    losses = [float(F.cross_entropy(logits[name] / temperature, labels[name])) for name in logits]
    accuracies = {
        f"{name}{ACCURACY}": float((logits[name].argmax(dim=1) == labels[name]).double().mean()) for name in logits
    }
    measured = {"validation_loss": sum(losses) / len(losses), **accuracies}
    return {key: round(value, 5) for key, value in measured.items()}
