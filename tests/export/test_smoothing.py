"""Networks smooth images in evaluation, and not in training."""

import pytest
import torch

from export.model import ARCHITECTURES, find_architecture
from export.smoothing import SMOOTHING, Smoothing, eval_on_augmented


def test_smoothing_spreads_ink_only_in_evaluation_mode() -> None:
    """Spreads the ink of one pixel by the filter, keeps its sum, and changes nothing in training mode."""
    images = torch.zeros(1, 1, 28, 28)
    images[0, 0, 14, 14] = 1
    smooth = Smoothing().eval()(images)
    assert torch.allclose(smooth[0, 0, 14, 13:16], SMOOTHING[1] * torch.tensor(SMOOTHING))
    assert smooth.sum().item() == pytest.approx(1)
    assert Smoothing().train()(images) is images


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_augmented_images_are_not_smoothed_again(name: str) -> None:
    """Evaluates a network on augmented images as if they had been smoothed already, with no other change."""
    torch.manual_seed(0)
    network = find_architecture(name)()
    images = torch.rand(2, 1, 28, 28)
    with torch.inference_mode():
        logits = network.eval()(images)
        of_smoothed = eval_on_augmented(network)(Smoothing().eval()(images))
    assert torch.allclose(of_smoothed, logits, atol=1e-6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_checkpoints_hold_no_filter(name: str) -> None:
    """Keeps the keys of a checkpoint as they were before the networks smoothed their images."""
    assert not [key for key in find_architecture(name)().state_dict() if "smoothing" in key]
