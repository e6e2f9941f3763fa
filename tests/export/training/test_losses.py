"""Targets are distributions, and the teachers' answers count beside the labels."""

import pytest
import torch
from torch import nn

from export.data.dataset import OUTLIER_LABEL
from export.training.losses import TEACHER_SHARE, distillation_loss, soft_targets, teach, training_loss


def test_outliers_get_a_uniform_target() -> None:
    """Gives each row a distribution: a smoothed label for a digit, equal shares for an outlier."""
    targets = soft_targets(torch.tensor([3, OUTLIER_LABEL]), 10, 0.1)
    assert torch.allclose(targets.sum(dim=1), torch.ones(2))
    assert targets[0, 3] == pytest.approx(0.91)
    assert torch.allclose(targets[1], torch.full((10,), 0.1))


class Constant(nn.Module):
    """A teacher that gives every image the same logits."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(images), -1)


def test_teachers_answer_with_their_mean() -> None:
    """Average probabilities, softened by the temperature."""
    taught = teach([Constant(0.0, 0.0), Constant(0.0, 2 * torch.tensor(3.0).log().item())], torch.zeros(2, 1, 28, 28))
    assert torch.allclose(taught, torch.tensor([[0.375, 0.625]]).expand(2, 2))


def test_the_distillation_loss_is_least_at_the_answers_of_the_teachers() -> None:
    """Has no gradient where the softened probabilities agree."""
    logits = torch.tensor([[1.0, -2.0, 0.5]], requires_grad=True)
    distillation_loss(logits, teach([Constant(1.0, -2.0, 0.5)], torch.zeros(1, 1, 28, 28))).sum().backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


@pytest.mark.parametrize(("if_right", "share"), [(True, 0.0), (False, TEACHER_SHARE)])
def test_a_teacher_that_is_wrong_can_be_left_out(if_right: bool, share: float) -> None:
    """Learn from the label alone where the teacher reads another digit, and from both elsewhere."""
    logits, taught = torch.tensor([[1.0, -2.0, 0.5]] * 3), torch.tensor([[0.7, 0.2, 0.1]] * 3)
    labels = torch.tensor([0, 1, OUTLIER_LABEL])  # the teacher is right, wrong, and asked about an outlier
    labeled, both = (
        torch.stack([training_loss(logits[:1], label[None], 0.1, answer, if_right=False) for label in labels])
        for answer in (None, taught[:1])
    )
    shares = torch.tensor([1.0, share / TEACHER_SHARE, 1.0])
    loss = training_loss(logits, labels, 0.1, taught, if_right=if_right)
    assert loss.item() == pytest.approx(torch.lerp(labeled, both, shares).mean().item())
