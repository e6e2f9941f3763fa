"""Teachers answer as they were trained, and teach the plain part alone."""

from pathlib import Path

import pytest
import torch

from export.batches import PLAIN, Examples, targets
from export.distill import TEMPERATURE, Teachers
from export.errors import CheckpointError
from export.model import Teacher
from export.recipe import Recipe
from export.run import Run

IMAGES = torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def networks() -> list[Teacher]:
    """Two that are as sure as trained ones, and whose norms are no identities."""
    networks = []
    for seed in range(2):
        torch.manual_seed(seed)
        network = Teacher()
        with torch.no_grad():
            network.train()(IMAGES * 2 + 1)
            network.head.weight.mul_(6 / network.eval()(IMAGES).std())
        networks.append(network)
    return networks


@pytest.fixture(scope="module")
def teachers(networks: list[Teacher], tmp_path_factory: pytest.TempPathFactory) -> Teachers:
    paths = [tmp_path_factory.mktemp("teachers") / f"{number}.pth" for number in range(len(networks))]
    for network, path in zip(networks, paths, strict=True):
        torch.save(network.state_dict(), path)
    return Teachers(paths)


def test_their_logits_are_averaged_and_softened(networks: list[Teacher], teachers: Teachers) -> None:
    """Folded, and in bfloat16 where the processor has it, they are as sure as apart and in float32."""
    with torch.no_grad():
        logits = torch.stack([network(IMAGES) for network in networks]).mean(dim=0)
    wanted = (logits / TEMPERATURE).softmax(dim=1)
    assert wanted.max() > 0.2, "they doubt everything: nothing could differ"
    assert torch.allclose(teachers.probabilities(IMAGES), wanted, atol=0.03)


def test_they_teach_the_plain_part_and_labels_the_rest(teachers: Teachers) -> None:
    """One row of targets for each image."""
    recipe = Recipe(epochs=1)
    labels, parts = torch.arange(6), torch.tensor([PLAIN, 1, PLAIN, 2, 1, PLAIN])
    run = Run("cnn", recipe, Examples((IMAGES.numpy(), labels.numpy())), teachers)
    wanted, plain = run._targets(IMAGES, labels, parts), parts == PLAIN
    assert torch.equal(wanted[~plain], targets(labels, recipe.label_smoothing)[~plain])
    assert torch.allclose(wanted[plain], teachers.probabilities(IMAGES[plain]), atol=0.01)


def test_a_student_cannot_teach(tmp_path: Path) -> None:
    """The error names the file and what it lacks."""
    path = tmp_path / "student.pth"
    torch.save({}, path)
    with pytest.raises(CheckpointError, match=r"student.pth does not fit: it lacks"):
        Teachers([path])
