"""The int8 file is int8 where it should be, and is served only where it is as good and faster."""

from collections import Counter
from itertools import count
from pathlib import Path

import numpy as np
import onnx
import pytest

from export import quantize
from export.material import MNIST, PEOPLE, Floats, noise
from export.model import ARCHITECTURES
from service.classifier import Session
from service.settings import WEIGHTS

READ = {MNIST: {"correct": 9970, "images": 10_000}, PEOPLE: {"correct": 430, "images": 437}}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_are_int8_but_for_the_first_layer_and_the_head(name: str, tmp_path: Path) -> None:
    """Per channel, and within seven bits."""
    quantize.convert(WEIGHTS / name / "model.onnx", tmp_path / "int8.onnx", noise()[:50])
    tensors = onnx.load(tmp_path / "int8.onnx").graph.initializer
    kinds = Counter(tensor.data_type for tensor in tensors if len(tensor.dims) in (2, 4))
    kept = {"cnn": 2, "cnn-transformer": 2}[name]
    assert kinds[onnx.TensorProto.FLOAT] == kept
    assert kinds[onnx.TensorProto.INT8] >= 3
    for tensor in tensors:
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1:
            assert np.abs(onnx.numpy_helper.to_array(tensor)).max() <= 64


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 32])
def test_the_committed_int8_file_runs_at_every_batch_size(name: str, size: int) -> None:
    """And an image's answer does not depend on its neighbours."""
    session = Session(WEIGHTS / name / "model.int8.onnx")
    images = noise()[:32]
    alone = np.concatenate([session.logits(image[np.newaxis]) for image in images[:size]])
    assert np.allclose(session.logits(images[:size]), alone, atol=0.2)


def test_an_int8_file_that_is_as_good_and_faster_is_served() -> None:
    """No objection."""
    assert quantize.objections(0.9995, READ, READ, 0.7) == []


@pytest.mark.parametrize(
    ("agreement", "read", "time_taken", "reason"),
    [
        (0.9994, READ, 0.5, "its argmax agrees on 99.94% only"),
        (1.0, {**READ, MNIST: {"correct": 9966, "images": 10_000}}, 0.5, "it loses 0.04% of mnist-test"),
        (1.0, {**READ, PEOPLE: {"correct": 428, "images": 437}}, 0.5, "it loses 0.46% of people"),
        (1.0, READ, 0.71, "it takes 0.71 of the time"),
    ],
)
def test_every_objection_has_its_figure(
    agreement: float, read: dict[str, dict[str, int]], time_taken: float, reason: str
) -> None:
    """Any one of them keeps fp32 in service."""
    assert quantize.objections(agreement, READ, read, time_taken) == [reason]


def test_pictures_that_are_not_there_are_no_objection() -> None:
    """Without WILD_DIR, MNIST decides."""
    only = {MNIST: READ[MNIST]}
    assert quantize.objections(1.0, only, only, 0.5) == []


def test_the_comparison_counts_answers_that_differ() -> None:
    """And finds the logit that is furthest off."""
    images = np.zeros((4, 1, 28, 28), np.float32)
    fp32, int8 = np.eye(10, dtype=np.float32)[:4], np.eye(10, dtype=np.float32)[[0, 1, 2, 5]]
    found = quantize.compare(lambda _: fp32, lambda _: int8 * 2, {"some": images})
    assert found["argmax_agreement"] == {"some": 0.75}
    assert found["worst_logit_difference"] == 2.0


def test_the_time_is_that_of_int8_over_that_of_fp32() -> None:
    """By a clock that counts calls: fp32 looks at it twice as often."""
    ticks = count()

    def clock() -> float:
        return float(next(ticks))

    def fp32(batch: Floats) -> Floats:
        next(ticks), next(ticks), next(ticks)
        return batch

    def int8(batch: Floats) -> Floats:
        next(ticks)
        return batch

    assert quantize.time_ratio(fp32, int8, noise()[:1], clock) == pytest.approx(41 / 121)
