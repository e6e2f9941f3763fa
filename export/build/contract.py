"""Write the contract of a model: measure its files, decide which one is served, and record both."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from export.build.inputs import ExportInputs
from export.build.parity import check_parity
from export.build.quantize import LatencyRatio, compare_precisions, latency_ratio, rejection_reasons
from export.build.to_onnx import OPSET
from export.data.dataset import Dataset
from export.model_folder import ModelFolder
from export.training.checkpoint import Checkpoint, sha256
from service.inference.classifier import self_test_input
from service.inference.contract import EXPECTED_TERMS
from service.inference.session import Session


@dataclass(frozen=True)
class FileMeasurements:
    """The measurements of one ONNX file.

    accuracy: for each labeled source, the number of `images` and how many are `correct`. parity: of fp32 with the
    checkpoint, or of int8 with fp32. self_test: ten logits for the service's self-test input.
    """

    accuracy: dict[str, dict[str, int]]
    parity: dict[str, Any]
    self_test: list[float]


@dataclass(frozen=True)
class Measurements:
    """The measurements of both ONNX files."""

    fp32: FileMeasurements
    int8: FileMeasurements
    latency: LatencyRatio


def measure(checkpoint: Checkpoint, folder: ModelFolder, inputs: ExportInputs) -> Measurements:
    """Measure the ONNX files in `folder`. Raises ParityError if fp32 does not compute the checkpoint's logits."""
    fp32, int8 = Session(folder.fp32), Session(folder.int8)
    parity = check_parity(checkpoint.network, fp32.logits, inputs.images)
    difference = compare_precisions(fp32.logits, int8.logits, inputs.images)
    return Measurements(
        FileMeasurements(_accuracy(fp32, inputs), parity, _self_test(fp32)),
        FileMeasurements(_accuracy(int8, inputs), difference, _self_test(int8)),
        latency_ratio(fp32.logits, int8.logits, inputs.labeled["mnist-test"].images[:1]),
    )


def decide(measurements: Measurements) -> list[str]:
    """Return the reasons not to serve int8; empty if int8 is served."""
    fp32, int8 = measurements.fp32, measurements.int8
    agreement = int8.parity["argmax_agreement"]["mnist-test"]
    return rejection_reasons(agreement, fp32.accuracy, int8.accuracy, measurements.latency.median)


def build_contract(
    name: str, folder: ModelFolder, measurements: Measurements, int8_rejected_because: list[str]
) -> dict[str, Any]:
    """Build the contract of the files in `folder`. It holds no measured time, so it is reproducible."""
    fp32, int8 = measurements.fp32, measurements.int8
    checkpoint = {"sha256": sha256(folder.checkpoint), "precision": "fp32", "accuracy": fp32.accuracy}
    return {
        "model": name,
        "serves": (folder.fp32 if int8_rejected_because else folder.int8).name,
        "int8_rejected_because": int8_rejected_because,
        "opset": OPSET,
        **EXPECTED_TERMS,
        "versions": _versions(),
        "files": {
            folder.checkpoint.name: checkpoint,
            folder.fp32.name: {"sha256": sha256(folder.fp32), "precision": "fp32", **vars(fp32)},
            folder.int8.name: {"sha256": sha256(folder.int8), "precision": "int8", **vars(int8)},
        },
    }


def _accuracy(session: Session, inputs: ExportInputs) -> dict[str, dict[str, int]]:
    """Count the images and the correct predictions of each labeled source."""
    return {
        name: {"correct": _count_correct(session.logits(dataset.images), dataset), "images": len(dataset)}
        for name, dataset in inputs.labeled.items()
    }


def _count_correct(logits: NDArray[np.float32], dataset: Dataset) -> int:
    """Count the images, whose logits are float32 (N, 10), that are predicted right."""
    return int((logits.argmax(axis=1) == dataset.labels).sum())


def _self_test(session: Session) -> list[float]:
    """Compute the ten logits of the service's self-test input."""
    return [round(float(logit), 6) for logit in session.logits(self_test_input())[0]]


def _versions() -> dict[str, str]:
    """Return the versions of the libraries that export."""
    return {
        "torch": torch.__version__.partition("+")[0],
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
