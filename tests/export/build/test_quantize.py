"""The int8 file is int8 where it should be, and is rejected unless it is as accurate as fp32 and faster."""

from collections import Counter
from itertools import count
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from export.build.inputs import random_images
from export.build.quantize import compare_precisions, latency_ratio, quantize_model, rejection_reasons
from export.errors import ExportError
from export.model import ARCHITECTURES
from export.model_folder import ModelFolder
from service.inference.session import Session
from tests.conftest import WEIGHTS

FP32 = {"mnist-test": {"correct": 9970, "images": 10_000}, "wild": {"correct": 430, "images": 437}}


@pytest.mark.parametrize(("name", "padded"), [("cnn-transformer", 3), ("cnn", 1)])
def test_weights_are_int8_except_the_first_layer_padded_convolutions_and_the_head(
    name: str, padded: int, tmp_path: Path
) -> None:
    """Quantizes per channel, within seven bits. Smoothing is a padded convolution, too."""
    quantize_model(ModelFolder(WEIGHTS / name).fp32, tmp_path / "int8.onnx", random_images(50))
    tensors = onnx.load(tmp_path / "int8.onnx").graph.initializer
    types = Counter(tensor.data_type for tensor in tensors if len(tensor.dims) in (2, 4))
    assert types[onnx.TensorProto.FLOAT] == 2 + padded
    assert types[onnx.TensorProto.INT8] >= 3
    for tensor in tensors:
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1:
            assert np.abs(onnx.numpy_helper.to_array(tensor)).max() <= 64


def test_a_graph_without_a_relu_is_refused(tmp_path: Path) -> None:
    """Says what is missing, because quantization starts after the first Relu."""
    value = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["N", 1, 28, 28])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["image"], ["image2"])], "g", [value], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "fp32.onnx")
    with pytest.raises(ExportError, match="has no Relu"):
        quantize_model(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", random_images(1))


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 32])
def test_int8_logits_do_not_depend_on_the_rest_of_the_batch(name: str, size: int) -> None:
    """Runs at every batch size, with the logits that each image has alone."""
    session = Session(ModelFolder(WEIGHTS / name).int8)
    images = random_images(32)
    alone = np.concatenate([session.logits(image[np.newaxis]) for image in images[:size]])
    assert np.allclose(session.logits(images[:size]), alone, atol=0.2)


def test_an_accurate_and_fast_int8_file_is_accepted() -> None:
    """Gives no reason at the limits of agreement and latency."""
    assert rejection_reasons(0.9995, FP32, FP32, 1.0) == []


@pytest.mark.parametrize(
    ("agreement", "int8", "ratio", "reason"),
    [
        (0.9994, FP32, 0.5, "its predictions agree with fp32 on 99.94% (at least 99.95% is required)"),
        (
            1.0,
            {**FP32, "mnist-test": {"correct": 9966, "images": 10_000}},
            0.5,
            "it loses 0.04% accuracy on mnist-test (at most 0.03% is allowed)",
        ),
        (
            1.0,
            {**FP32, "wild": {"correct": 428, "images": 437}},
            0.5,
            "it loses 0.46% accuracy on wild (at most 0.30% is allowed)",
        ),
        (1.0, FP32, 1.01, "it takes over 1.0 of the fp32 CPU time"),
    ],
)
def test_each_limit_rejects_int8(agreement: float, int8: dict[str, dict[str, int]], ratio: float, reason: str) -> None:
    """Gives one reason just beyond each limit."""
    assert rejection_reasons(agreement, FP32, int8, ratio) == [reason]


def test_reasons_hold_no_measured_time() -> None:
    """Gives the same reason for any latency beyond the limit, so that the contract is reproducible."""
    assert rejection_reasons(1.0, FP32, FP32, 1.01) == rejection_reasons(1.0, FP32, FP32, 1.93)


def test_missing_wild_images_are_no_reason() -> None:
    """Decides by MNIST alone without WILD_DIR."""
    mnist = {"mnist-test": FP32["mnist-test"]}
    assert rejection_reasons(1.0, mnist, mnist, 0.5) == []


def test_the_comparison_counts_different_predictions() -> None:
    """Finds the share of equal predictions, and the largest logit difference."""
    images = np.zeros((4, 1, 28, 28), np.float32)
    fp32, int8 = np.eye(10, dtype=np.float32)[:4], np.eye(10, dtype=np.float32)[[0, 1, 2, 5]]
    record = compare_precisions(lambda _: fp32, lambda _: int8 * 2, {"some": images})
    assert record["argmax_agreement"] == {"some": 0.75}
    assert record["worst_logit_difference"] == 2.0
    assert record["images"] == {"some": 4}


def test_the_latency_ratio_is_int8_over_fp32() -> None:
    """Measures 41/121 on a clock that fp32 advances three times as often per run as int8."""
    ticks = count()

    def clock() -> float:
        return float(next(ticks))

    def fp32(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        next(ticks), next(ticks), next(ticks)
        return batch

    def int8(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        next(ticks)
        return batch

    ratio = latency_ratio(fp32, int8, random_images(1), clock)
    assert ratio.median == ratio.minimum == ratio.maximum == pytest.approx(41 / 121)


def test_the_latency_ratio_has_a_spread() -> None:
    """Reports median, minimum and maximum of rounds that differ."""
    rounds = count(1)

    def growing_clock() -> float:
        return float(next(rounds)) ** 2

    ratio = latency_ratio(lambda batch: batch, lambda batch: batch, random_images(1), growing_clock)
    assert ratio.minimum < ratio.median < ratio.maximum < 1
