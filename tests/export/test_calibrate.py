"""The temperature makes confidence honest, and changes no answer."""

import pytest
import torch

from export.batches import Examples
from export.calibrate import calibrate, fit, logits
from export.data import Digits
from export.model import CnnTransformer
from export.scenes import plain
from tests.export.test_scenes import INK


@pytest.mark.parametrize("truth", [0.3, 1.0, 4.0])
def test_the_temperature_of_a_known_distribution_is_found(truth: float) -> None:
    """Labels drawn from softmax(logits / T) give T back."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(20_000, 10, generator=generator) * 3
    labels = torch.multinomial((scores / truth).softmax(dim=1), 1, generator=generator).squeeze(1)
    assert fit(scores, labels) == pytest.approx(truth, rel=0.05)


def test_folding_scales_every_logit_and_changes_no_answer() -> None:
    """The head alone is touched."""
    torch.manual_seed(0)
    network = CnnTransformer()
    examples = Examples(plain(Digits(INK[None].repeat(5, axis=0), torch.tensor([7, 7, 7, 1, 2]).numpy())))
    before = logits(network, examples)
    temperature = calibrate(network, examples)
    after = logits(network, examples)
    assert torch.allclose(after * temperature, before, rtol=1e-3, atol=1e-4)
    assert torch.equal(after.argmax(dim=1), before.argmax(dim=1))
