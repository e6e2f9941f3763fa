"""The temperature calibrates the confidence, and changes no prediction."""

import numpy as np
import pytest
import torch

from export.data.dataset import Dataset
from export.data.scenes import normalize_dataset
from export.model import CnnTransformer
from export.training.calibrate import calibrate, fit_temperature, predict_logits
from export.training.device_dataset import DEVICE, DeviceDataset
from tests.images import SEVEN

INK = 255 - np.asarray(SEVEN.resize((28, 28)))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_of_a_known_distribution_is_found(temperature: float) -> None:
    """Recovers T from labels that are drawn from softmax(logits / T)."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20_000, 10, generator=generator) * 3
    labels = torch.multinomial((logits / temperature).softmax(dim=1), 1, generator=generator).squeeze(1)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_calibration_scales_every_logit_and_changes_no_prediction() -> None:
    """Divides the logits of all datasets by the temperature that it returns."""
    torch.manual_seed(0)
    network = CnnTransformer().to(DEVICE)
    images = normalize_dataset(Dataset(INK[None].repeat(5, axis=0), np.array([7, 7, 7, 1, 2])))
    datasets = [DeviceDataset(images.take(np.arange(3))), DeviceDataset(images.take(np.arange(3, 5)))]
    before = [predict_logits(network, dataset) for dataset in datasets]
    temperature = calibrate(network, datasets)
    for dataset, logits in zip(datasets, before, strict=True):
        after = predict_logits(network, dataset)
        assert torch.allclose(after * temperature, logits, rtol=1e-3, atol=1e-4)
        assert torch.equal(after.argmax(dim=1), logits.argmax(dim=1))
