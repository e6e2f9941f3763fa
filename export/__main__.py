"""`make export`: checkpoint -> ONNX -> int8 -> parity -> contract, and only then into weights/."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from export import checkpoint, quantize, to_onnx
from export.checkpoint import CHECKPOINT, sha256
from export.contract import FP32, INT8, draw_up
from export.errors import ExportError
from export.material import Material, gather
from export.model import ARCHITECTURES
from service.contract import CONTRACT, Contract
from service.settings import WEIGHTS


def build(name: str, folder: Path, material: Material, source: Path | None = None) -> Contract:
    """Put checkpoint, ONNX files and contract into `folder`, or leave all as it was.

    The checkpoint is `source`, or the one that the folder already has. Raises ExportError where it cannot be
    used or parity does not hold.
    """
    source = source or folder / CHECKPOINT
    network = checkpoint.load(name, source)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as directory:
        draft = Path(directory)
        shutil.copyfile(source, draft / CHECKPOINT)
        to_onnx.convert(network, draft / FP32, {"model": name, "checkpoint_sha256": sha256(draft / CHECKPOINT)})
        quantize.convert(draft / FP32, draft / INT8, material.calibration)
        contract = draw_up(name, network, draft, material)
        (draft / CONTRACT).write_text(json.dumps(contract, indent=2) + "\n")
        for file in (CHECKPOINT, FP32, INT8, CONTRACT):
            (draft / file).replace(folder / file)
    return Contract.verify(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Exits with one sentence, and a non-zero status, where the export is not proven."""
    parser = argparse.ArgumentParser(prog="make export", description=__doc__)
    parser.add_argument("--model", choices=ARCHITECTURES, default="cnn-transformer")
    parser.add_argument("--checkpoint", type=Path, help="a state dict to export, in place of the folder's own")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args(arguments)
    folder = options.weights / options.model
    try:
        checkpoint.load(options.model, options.checkpoint or folder / CHECKPOINT)  # before a minute's work
        verified = build(options.model, folder, gather(os.environ), options.checkpoint)
    except ExportError as error:
        sys.exit(f"make export: {error}")
    print(json.dumps(verified.summary(), indent=2))
    print(f"{verified.model_file.name} is served: {verified.content['int8']}")


if __name__ == "__main__":
    main()
