"""Augmentation varies every image, keeps its digit, and repeats with the seed."""

import numpy as np
import torch

from export.training.augment import NOISE_SHARE, add_noise, augment
from service.imaging.normalize import normalize_digit
from tests.images import SEVEN


def sevens(count: int) -> torch.Tensor:
    return torch.from_numpy(normalize_digit(np.asarray(SEVEN))).expand(count, 1, 28, 28)


def test_augmentation_repeats_with_the_seed() -> None:
    """Gives the same images for the same seed, others for another."""
    first, second, other = (augment(sevens(8), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_augmentation_keeps_shape_and_range() -> None:
    """Returns images in [0, 1] of the same shape, and does not change its input."""
    batch = sevens(64)
    before = batch.clone()
    result = augment(batch, torch.Generator().manual_seed(0))
    assert result.shape == batch.shape
    assert result.min() >= 0
    assert result.max() <= 1 + 1e-5
    assert torch.equal(batch, before)


def test_every_image_is_changed_differently_and_keeps_its_ink() -> None:
    """Moves no digit out of the image, and leaves no two images alike."""
    result = augment(sevens(200), torch.Generator().manual_seed(0))
    ink = result.sum(dim=(1, 2, 3)) / sevens(1).sum()
    assert ink.min() > 0.4
    assert ink.max() < 2
    differences = (result[1:] - result[:-1]).abs().mean(dim=(1, 2, 3))
    assert differences.min() > 0.01


def test_a_weaker_augmentation_changes_less() -> None:
    """Moves less ink at half the strength, and hardly any at a hundredth."""
    changes = [
        float((augment(sevens(100), torch.Generator().manual_seed(0), strength) - sevens(100)).abs().mean())
        for strength in (0.01, 0.5, 1.0)
    ]
    assert 3 * changes[0] < changes[1] < 0.8 * changes[2]


def test_noise_reaches_a_share_of_the_images() -> None:
    """Leave about (1 - NOISE_SHARE) squared of the images as they are, and keep the range of all."""
    batch = sevens(2_000)
    result = add_noise(batch, torch.Generator().manual_seed(0))
    unchanged = (result == batch).flatten(1).all(dim=1).double().mean()
    assert abs(float(unchanged) - (1 - NOISE_SHARE) ** 2) < 0.03
    assert result.min() >= 0
    assert result.max() <= 1
