"""An ONNX file becomes an int8 one, and is served where it is as good and faster."""

import logging
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from export.material import MNIST, PEOPLE, Floats
from export.parity import Logits, batches

MIN_AGREEMENT = 0.9995
MAX_LOSS = {MNIST: 0.0003, PEOPLE: 0.003}
MAX_TIME = 0.7

QUANTIZED = ["Conv", "Gemm", "MaxPool", "Relu"]
ROUNDS, RUNS = 15, 40


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, images: Floats) -> None:
        self._batches: Iterator[Floats] = batches(images, 50)

    def get_next(self) -> dict[str, Floats] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def convert(model: Path, path: Path, images: Floats) -> None:
    """Quantise statically, with the ranges that `images`, float32 (N, 1, 28, 28), standardised, reach.

    Activations are uint8, weights int8 per channel. What reads the image stays in float32, for a convolution of
    one channel gains nothing, and so do the head, the norms and attention. Weights keep to seven bits: a
    processor without VNNI adds two products in 16 bits, which eight would overflow.
    """
    logging.disable(logging.WARNING)  # it recommends a preprocessing that the exporter has done
    try:
        quantize_static(
            model,
            path,
            _Calibration(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=QUANTIZED,
            nodes_to_exclude=_kept(onnx.load(model).graph),
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
        )
    finally:
        logging.disable(logging.NOTSET)


def compare(fp32: Logits, int8: Logits, sources: Mapping[str, Floats]) -> dict[str, Any]:
    """How far the int8 logits are from the fp32 ones: a record for the contract."""
    pairs = {name: (fp32(images), int8(images)) for name, images in sources.items()}
    return {
        "compared_with": "model.onnx",
        "worst_logit_difference": max(float(np.abs(a - b).max()) for a, b in pairs.values()),
        "argmax_agreement": {
            name: float((a.argmax(axis=1) == b.argmax(axis=1)).mean()) for name, (a, b) in pairs.items()
        },
        "images": {name: len(images) for name, images in sources.items()},
    }


def time_ratio(fp32: Logits, int8: Logits, image: Floats, clock: Callable[[], float] = time.thread_time) -> float:
    """The time that int8 takes of fp32's at batch size 1: the median of rounds in which they alternate.

    A session runs on the thread that calls it, and what else the machine does is not on that thread's clock.
    """

    def run(logits: Logits) -> float:
        started = clock()
        for _ in range(RUNS):
            logits(image)
        return clock() - started

    return statistics.median(run(int8) / run(fp32) for _ in range(ROUNDS))


def objections(
    agreement: float, fp32: Mapping[str, Mapping[str, int]], int8: Mapping[str, Mapping[str, int]], time_taken: float
) -> list[str]:
    """Why int8 is not to be served; nothing where it is as good and faster.

    `fp32` and `int8` hold, for each source, how many images there were and how many were read right.
    """
    found = [] if agreement >= MIN_AGREEMENT else [f"its argmax agrees on {agreement:.2%} only"]
    for name, most in MAX_LOSS.items():
        if name in fp32:
            lost = (fp32[name]["correct"] - int8[name]["correct"]) / fp32[name]["images"]
            found += [] if lost <= most else [f"it loses {lost:.2%} of {name}"]
    return found + ([] if time_taken <= MAX_TIME else [f"it takes {time_taken:.2f} of the time"])


def _kept(graph: onnx.GraphProto) -> list[str]:
    """The nodes that stay in float32: all up to the first Relu, and the head."""
    names, types = [node.name for node in graph.node], [node.op_type for node in graph.node]
    return [*names[: types.index("Relu") + 1], names[-1]]
