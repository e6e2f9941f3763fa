"""What is proven of a model's files, written down for the service and its users."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from torch import nn

from export import quantize, to_onnx
from export.checkpoint import CHECKPOINT, sha256
from export.material import MNIST, Material
from export.parity import prove
from service.classifier import Session, self_test_input
from service.contract import EXPECTED

FP32, INT8 = "model.onnx", "model.int8.onnx"


def draw_up(name: str, network: nn.Module, folder: Path, material: Material) -> dict[str, Any]:
    """The contract of the files in `folder`. Raises ParityError where the fp32 one is not the checkpoint's equal."""
    fp32, int8 = Session(folder / FP32), Session(folder / INT8)
    parity = prove(network, fp32.logits, material.images)
    difference = quantize.compare(fp32.logits, int8.logits, material.images)
    accuracy = {session: _accuracy(session, material) for session in (fp32, int8)}
    ratio = quantize.time_ratio(fp32.logits, int8.logits, material.labelled[MNIST].images[:1])
    objections = quantize.objections(difference["argmax_agreement"][MNIST], accuracy[fp32], accuracy[int8], ratio)
    return {
        "model": name,
        "serves": FP32 if objections else INT8,
        "int8": {"time_of_fp32": round(ratio, 3), "objections": objections},
        "opset": to_onnx.OPSET,
        **EXPECTED,
        "versions": _versions(),
        "files": {
            CHECKPOINT: {"sha256": sha256(folder / CHECKPOINT), "precision": "fp32", "accuracy": accuracy[fp32]},
            FP32: _facts(fp32, "fp32", accuracy[fp32], parity),
            INT8: _facts(int8, "int8", accuracy[int8], difference),
        },
    }


def _accuracy(session: Session, material: Material) -> dict[str, Any]:
    return {
        name: {"correct": source.correct(session.logits(source.images)), "images": len(source.labels)}
        for name, source in material.labelled.items()
    }


def _facts(session: Session, precision: str, accuracy: Mapping[str, Any], parity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sha256": sha256(session.path),
        "precision": precision,
        "accuracy": accuracy,
        "parity": parity,
        "self_test": [round(float(logit), 6) for logit in session.logits(self_test_input())[0]],
    }


def _versions() -> dict[str, str]:
    return {
        "torch": torch.__version__.partition("+")[0],
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
