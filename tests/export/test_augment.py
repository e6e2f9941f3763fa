"""Augmentation gives other hands' versions of the same digits, and the same ones for the same seed."""

import numpy as np
import torch

from export.augment import augment
from service.preprocess import to_canvas
from tests.pictures import SEVEN


def sevens(count: int) -> torch.Tensor:
    return torch.from_numpy(to_canvas(np.asarray(SEVEN))).expand(count, 1, 28, 28)


def test_a_seed_repeats_itself() -> None:
    """And another seed does not."""
    first, second, other = (augment(sevens(8), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_shape_range_and_input_stay() -> None:
    """Canvases in, canvases out; what came in is not changed."""
    batch = sevens(64)
    before = batch.clone()
    result = augment(batch, torch.Generator().manual_seed(0))
    assert result.shape == batch.shape
    assert result.min() >= 0
    assert result.max() <= 1 + 1e-5
    assert torch.equal(batch, before)


def test_every_image_changes_in_its_own_way_but_keeps_its_ink() -> None:
    """No image leaves its canvas, fades away or is left as it was."""
    result = augment(sevens(200), torch.Generator().manual_seed(0))
    ink = result.sum(dim=(1, 2, 3)) / sevens(1).sum()
    assert ink.min() > 0.4
    assert ink.max() < 2
    differences = (result[1:] - result[:-1]).abs().mean(dim=(1, 2, 3))
    assert differences.min() > 0.01
