"""Parity holds for the committed files, and fails for any difference."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from export.build.inputs import EXAMPLES, example_images, random_images
from export.build.parity import BATCH_SIZES, TOLERANCE, ascii_image, check_parity, compare_logits, round_up
from export.errors import ParityError
from export.model import ARCHITECTURES
from export.model_folder import ModelFolder
from export.training.checkpoint import load_checkpoint
from service.inference.session import Session
from tests.conftest import WEIGHTS

FOLDER = ModelFolder(WEIGHTS / "cnn-transformer")
NETWORK = load_checkpoint(FOLDER.name, FOLDER.checkpoint).network
SOURCES = {"examples": example_images(EXAMPLES), "random": random_images()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_committed_files_agree_with_their_checkpoints(name: str) -> None:
    """Holds at every batch size, on the examples and on random images."""
    folder = ModelFolder(WEIGHTS / name)
    network = load_checkpoint(name, folder.checkpoint).network
    record = check_parity(network, Session(folder.fp32).logits, SOURCES)
    assert 0 < record["worst_logit_difference"] <= TOLERANCE
    assert record["batch_sizes"] == list(BATCH_SIZES) == [1, 2, 3, 7, 32]
    assert record["images"] == {"examples": 12, "random": 1000}


def test_one_changed_weight_fails(tmp_path: Path) -> None:
    """Detects a difference of 0.01 in one weight of the head."""
    model = onnx.load(FOLDER.fp32)
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "head.weight")
    weights = numpy_helper.to_array(tensor).copy()
    weights[3, 5] += 0.01
    tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    onnx.save(model, tmp_path / "changed.onnx")
    with pytest.raises(ParityError, match="examples at batch size 1: the logits differ by up to"):
        check_parity(NETWORK, Session(tmp_path / "changed.onnx").logits, SOURCES)


@pytest.mark.parametrize("offset", [2e-4, -2e-4, float("nan"), float("inf")])
def test_one_logit_beyond_the_tolerance_fails(offset: float) -> None:
    """Detects an offset on one of ten logits, NaN and infinity included."""
    offsets = np.where(np.arange(10) == 0, offset, 0).astype(np.float32)

    def logits(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return Session(FOLDER.fp32).logits(images) + offsets

    with pytest.raises(ParityError, match="The worst is image"):
        check_parity(NETWORK, logits, {"examples": SOURCES["examples"]})


def test_a_different_argmax_fails_within_the_tolerance() -> None:
    """Detects two nearly equal logits in the wrong order, and names that image as the worst."""
    images = random_images(40)
    expected = Session(FOLDER.fp32).logits(images)
    expected[17] = 0
    expected[17, 4] = 5e-5
    actual = expected.copy()
    actual[17, 4], actual[17, 5] = 0, 5e-5
    with pytest.raises(ParityError, match="1 of 40 argmaxes differ. The worst is image 17"):
        compare_logits("random", images, expected, actual)


def test_the_worst_image_is_drawn_in_the_error() -> None:
    """Draws 28 lines of 56 characters, dark in the middle where the digit is, blank at the border."""
    lines = ascii_image(SOURCES["examples"][0]).splitlines()
    assert [len(line) for line in lines] == [56] * 28
    assert "@" in "".join(line[16:40] for line in lines[4:24])
    assert not "".join([lines[0], lines[-1]]).strip()


@pytest.mark.parametrize(
    ("difference", "rounded"), [(6.2e-06, 7e-06), (6.7e-06, 7e-06), (1.05e-05, 2e-05), (0.5, 0.5), (0.96, 1.0), (0, 0)]
)
def test_the_recorded_difference_is_rounded_up(difference: float, rounded: float) -> None:
    """Keeps one significant digit, and is never less than what was measured."""
    assert round_up(difference) == rounded
