"""A cnn-transformer of two convolutions grows into one of four that computes the same."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from export.errors import CheckpointError
from export.model import Cnn, CnnTransformer
from export.training.grow import grow, has_two_convolutions, load_start

IMAGES = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class TwoConvolutions(CnnTransformer):
    """The network before it had four convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip


@pytest.fixture(scope="module")
def old() -> TwoConvolutions:
    """Return a network whose norm has seen images, so that it does more than pass values on."""
    torch.manual_seed(1)
    network = TwoConvolutions()
    network(torch.randn(64, 1, 28, 28))
    return network.eval()


def saved(path: Path, state: dict[str, Tensor]) -> Path:
    torch.save(state, path)
    return path


@torch.inference_mode()
def test_a_grown_network_computes_the_same(old: TwoConvolutions, tmp_path: Path) -> None:
    """Gives the logits of the checkpoint that it grew from, and keeps the checkpoint's path."""
    path = saved(tmp_path / "old.pth", old.state_dict())
    start = load_start("cnn-transformer", path)
    assert (start.name, start.path) == ("cnn-transformer", path)
    assert torch.allclose(start.network(IMAGES), old(IMAGES), atol=1e-5)


def test_growing_adds_two_convolutions_and_changes_no_other_tensor(old: TwoConvolutions) -> None:
    """Has the keys of the architecture, and every tensor of the old checkpoint."""
    grown = grow(old.state_dict())
    assert grown.keys() == CnnTransformer().state_dict().keys()
    assert sum(value.numel() for value in grown.values()) == 46_176 + sum(
        value.numel() for value in old.state_dict().values()
    )
    assert torch.equal(grown["stem.5.weight"], old.state_dict()["stem.3.weight"])
    assert not has_two_convolutions(grown)


def test_a_checkpoint_of_the_architecture_is_loaded_as_it_is(tmp_path: Path) -> None:
    """Loads both models."""
    for name, network in (("cnn-transformer", CnnTransformer()), ("cnn", Cnn())):
        start = load_start(name, saved(tmp_path / "new.pth", network.state_dict()))
        assert all(torch.equal(value, network.state_dict()[key]) for key, value in start.network.state_dict().items())


def test_a_file_that_does_not_fit_is_described(tmp_path: Path) -> None:
    """Names the first key that is missing, also for an old checkpoint and another model."""
    other = saved(tmp_path / "other.pth", {"weight": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="it lacks position"):
        load_start("cnn-transformer", other)
    small = saved(tmp_path / "small.pth", TwoConvolutions().state_dict())
    with pytest.raises(CheckpointError, match="it lacks features"):
        load_start("cnn", small)
