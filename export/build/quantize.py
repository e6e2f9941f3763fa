"""Quantize an ONNX file to int8, compare it with fp32, and find reasons not to serve it."""

import logging
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    create_calibrator,
    quantize_static,
)
from onnxruntime.quantization.calibrate import TensorsData, save_tensors_data

from export.data.dataset import split_batches
from export.errors import ExportError

MIN_AGREEMENT = 0.9995
"""Share of MNIST's test images for which int8 and fp32 must predict the same digit."""

MAX_ACCURACY_LOSS = {"mnist-test": 0.0003, "wild": 0.003}
"""Share of the images of a source that int8 may predict wrong in addition to fp32."""

MAX_LATENCY_RATIO = 1.0
"""int8 CPU time / fp32 CPU time. Above this, int8 gains nothing. Measured: 0.55 to 0.58 on processors with VNNI, 0.67
to 0.85 on one with AVX2 only. A lower limit would choose another file on some processors, or by chance."""

RANGE_DIGITS = 4
"""Significant digits of an activation's range. Processors differ in the last bits of a float; the int8 file is the same
on all of them."""

QUANTIZED_OPS = ["Conv", "Gemm", "MaxPool", "Relu"]
CALIBRATION_BATCH_SIZE = 50

TIMING_ROUNDS = 15
RUNS_PER_ROUND = 40


@dataclass(frozen=True)
class LatencyRatio:
    """int8 latency divided by fp32 latency, at batch size 1: median, minimum and maximum over TIMING_ROUNDS rounds."""

    median: float
    minimum: float
    maximum: float


def quantize_model(fp32_path: Path, int8_path: Path, calibration: NDArray[np.float32]) -> None:
    """Quantize statically, with the activation ranges of calibration images, float32 (N, 1, 28, 28), standardized.

    Activations are uint8, weights int8 per channel. The layer that reads the image stays in fp32, because a
    convolution of one channel gains nothing, and so do padded convolutions, which lose most by rounding, the head, the
    norms and attention. Weights use seven bits: a processor without VNNI adds two products in 16 bits, which eight bits
    would overflow.
    """
    fp32_nodes = _fp32_nodes(onnx.load(fp32_path).graph)
    logging.disable(logging.WARNING)  # onnxruntime recommends a preprocessing that the exporter has done
    try:
        with TemporaryDirectory() as folder:
            ranges = Path(folder) / "ranges.json"
            save_tensors_data(_activation_ranges(fp32_path, calibration, Path(folder)), ranges)
            quantize_static(
                fp32_path,
                int8_path,
                calibration_cache_path=ranges,
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                op_types_to_quantize=QUANTIZED_OPS,
                nodes_to_exclude=fp32_nodes,
                extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
            )
    finally:
        logging.disable(logging.NOTSET)


def compare_precisions(
    fp32: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    int8: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    sources: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """Compare the int8 logits with the fp32 logits on every source. Returns the int8 parity record of the contract."""
    logits = {name: (fp32(images), int8(images)) for name, images in sources.items()}
    return {
        "compared_with": "model.onnx",
        "worst_logit_difference": max(float(np.abs(a - b).max()) for a, b in logits.values()),
        "argmax_agreement": {
            name: float((a.argmax(axis=1) == b.argmax(axis=1)).mean()) for name, (a, b) in logits.items()
        },
        "images": {name: len(images) for name, images in sources.items()},
    }


def latency_ratio(
    fp32: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    int8: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    image: NDArray[np.float32],
    clock: Callable[[], float] = time.thread_time,
) -> LatencyRatio:
    """Measure int8 latency relative to fp32 latency on one image, float32 (1, 1, 28, 28), in alternating rounds.

    A session runs on the calling thread, so the thread's CPU time excludes other load on the machine.
    """

    def seconds(logits: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> float:
        """Measure the seconds of RUNS_PER_ROUND runs."""
        started = clock()
        for _ in range(RUNS_PER_ROUND):
            logits(image)
        return clock() - started

    ratios = [seconds(int8) / seconds(fp32) for _ in range(TIMING_ROUNDS)]
    return LatencyRatio(statistics.median(ratios), min(ratios), max(ratios))


def rejection_reasons(
    agreement: float,
    fp32: Mapping[str, Mapping[str, int]],
    int8: Mapping[str, Mapping[str, int]],
    ratio: float,
) -> list[str]:
    """List the reasons not to serve int8; empty if it is as accurate as fp32 and faster.

    agreement: share of MNIST's test images with equal predictions. fp32, int8: for each source, how many `images`
    there are and how many are `correct`. ratio: int8 CPU time / fp32 CPU time. The reasons hold no measured time,
    because they are written to the contract, and an export must be reproducible.
    """
    reasons = [] if agreement >= MIN_AGREEMENT else [_too_little_agreement(agreement)]
    for name, limit in MAX_ACCURACY_LOSS.items():
        if name in fp32:
            loss = (fp32[name]["correct"] - int8[name]["correct"]) / fp32[name]["images"]
            reasons += (
                [] if loss <= limit else [f"it loses {loss:.2%} accuracy on {name} (at most {limit:.2%} is allowed)"]
            )
    return reasons + ([] if ratio <= MAX_LATENCY_RATIO else [f"it takes over {MAX_LATENCY_RATIO} of the fp32 CPU time"])


def _too_little_agreement(agreement: float) -> str:
    """Write the reason that the predictions differ too often."""
    return f"its predictions agree with fp32 on {agreement:.2%} (at least {MIN_AGREEMENT:.2%} is required)"


def _activation_ranges(fp32_path: Path, images: NDArray[np.float32], folder: Path) -> TensorsData:
    """Return the range of each activation over the images, float32 (N, 1, 28, 28), with RANGE_DIGITS digits."""
    calibrator = create_calibrator(fp32_path, QUANTIZED_OPS, str(folder / "augmented.onnx"))
    calibrator.collect_data(_CalibrationReader(images))
    ranges = {
        name: (_round_bound(data.lowest), _round_bound(data.highest))
        for name, data in calibrator.compute_data().items()
    }
    return TensorsData(CalibrationMethod.MinMax, ranges)


def _round_bound(bound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to RANGE_DIGITS significant digits."""
    return np.asarray(float(f"{bound.item():.{RANGE_DIGITS}g}"), np.float32)


class _CalibrationReader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, images: NDArray[np.float32]) -> None:
        self._batches: Iterator[NDArray[np.float32]] = split_batches(images, CALIBRATION_BATCH_SIZE)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next batch, or None after the last one."""
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def _fp32_nodes(graph: onnx.GraphProto) -> list[str]:
    """List the nodes to keep in fp32: all up to the first Relu, padded convolutions, and the head, which is the last.

    Raises ExportError if there is no Relu.
    """
    names, types = [node.name for node in graph.node], [node.op_type for node in graph.node]
    if "Relu" not in types:
        raise ExportError("The exported graph has no Relu. Quantization starts after the first one: add one.")
    padded = [node.name for node in graph.node if node.op_type == "Conv" and any(_pads(node))]
    return [*names[: types.index("Relu") + 1], *padded, names[-1]]


def _pads(node: onnx.NodeProto) -> list[int]:
    """Return the padding of a convolution; empty if it has none."""
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == "pads"), [])
