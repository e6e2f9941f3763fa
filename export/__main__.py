"""`make export`: checkpoint -> ONNX -> parity -> contract, and only then into weights/."""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from export import checkpoint, to_onnx
from export.data import Digits, load_test, mnist_folder
from export.errors import ExportError
from export.model import ARCHITECTURES
from export.parity import Source, prove, random_source
from service.classifier import Session, self_test_input
from service.contract import CONTRACT, EXPECTED, Contract
from service.decode import decode
from service.preprocess import preprocess
from service.settings import WEIGHTS

MODEL_FILE = "model.onnx"
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def build(name: str, folder: Path, test: Digits) -> Contract:
    """Export the checkpoint in `folder` and put ONNX file and contract beside it, or leave all as it was.

    Raises ExportError where the checkpoint cannot be used or parity does not hold.
    """
    weights = folder / checkpoint.CHECKPOINT
    network = checkpoint.load(name, weights)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as draft:
        model = Path(draft, MODEL_FILE)
        to_onnx.convert(network, model, {"model": name, "checkpoint_sha256": sha256(weights)})
        content = contract(name, network, weights, model, test)
        Path(draft, CONTRACT).write_text(json.dumps(content, indent=2) + "\n")
        for file in (MODEL_FILE, CONTRACT):
            Path(draft, file).replace(folder / file)
    return Contract.verify(folder)


def contract(name: str, network: nn.Module, weights: Path, model: Path, test: Digits) -> dict[str, Any]:
    """Prove parity and write down all that the service, or its user, will want to know."""
    session = Session(model)
    images = np.stack([preprocess(image) for image in test.images])
    parity = prove(network, session.logits, [Source("mnist-test", images), examples(EXAMPLES), random_source()])
    correct = int((session.logits(images).argmax(axis=1) == test.labels).sum())
    accuracy = {"mnist-test": {"correct": correct, "images": len(test)}}
    return {
        "model": name,
        "serves": model.name,
        "opset": to_onnx.OPSET,
        **EXPECTED,
        "versions": {
            "torch": torch.__version__.partition("+")[0],
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
        "files": {
            weights.name: {"sha256": sha256(weights), "precision": "fp32", "accuracy": accuracy},
            model.name: {
                "sha256": sha256(model),
                "precision": "fp32",
                "accuracy": accuracy,
                "parity": parity,
                "self_test": [round(float(logit), 6) for logit in session.logits(self_test_input())[0]],
            },
        },
    }


def examples(folder: Path) -> Source:
    """The sample pictures of the repository, as the service sees them."""
    pictures = sorted((*folder.glob("*.png"), *folder.glob("*.jpg")))
    return Source("examples", np.stack([preprocess(decode(path.read_bytes(), 10**8)) for path in pictures]))


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Exits with one sentence, and a non-zero status, where the export is not proven."""
    parser = argparse.ArgumentParser(prog="make export", description=__doc__)
    parser.add_argument("--model", choices=ARCHITECTURES, default="cnn-transformer")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args(arguments)
    try:
        verified = build(options.model, options.weights / options.model, load_test(mnist_folder(os.environ)))
    except ExportError as error:
        sys.exit(f"make export: {error}")
    print(json.dumps(verified.summary(), indent=2))


if __name__ == "__main__":
    main()
