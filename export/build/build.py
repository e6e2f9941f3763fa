"""Build the served files of a model: checkpoint -> ONNX -> int8 -> parity -> contract."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from export.build.contract import Measurements, build_contract, decide, measure
from export.build.inputs import ExportInputs, load_inputs
from export.build.quantize import quantize_model
from export.build.report import write_report
from export.build.to_onnx import export_onnx
from export.model_folder import ModelFolder, RunFolder
from export.training.checkpoint import Checkpoint, load_checkpoint, sha256
from service.inference.contract import Contract


@dataclass(frozen=True)
class Build:
    """The result of an export: the verified contract, and the measurements behind it."""

    contract: Contract
    measurements: Measurements


def build_model(
    name: str, source: Path | None, mnist: Path | None, wild: Path | None, weights: ModelFolder, run: RunFolder
) -> Build:
    """Export a checkpoint into `weights`, and write the measured latencies to a report in `run`.

    source: the checkpoint; None for the one in `weights`. Raises ExportError if the checkpoint or the data cannot be
    used, or if parity does not hold.
    """
    checkpoint = (
        load_checkpoint(name, source)
        if source
        else load_checkpoint(name, weights.checkpoint, f"Train the model with `make train MODEL={name}`.")
    )
    inputs = load_inputs(mnist, wild)
    build = export_checkpoint(checkpoint, inputs, weights)
    write_report(build.measurements.latency, build.contract, run)
    return build


def export_checkpoint(checkpoint: Checkpoint, inputs: ExportInputs, weights: ModelFolder) -> Build:
    """Write checkpoint, ONNX files and contract to `weights`, all of them or none.

    Raises ParityError if the exported file does not compute the checkpoint's logits.
    """
    weights.path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=weights.path, prefix=".export-") as directory:
        draft = ModelFolder(Path(directory))
        shutil.copyfile(checkpoint.path, draft.checkpoint)
        metadata = {"model": checkpoint.name, "checkpoint_sha256": sha256(draft.checkpoint)}
        export_onnx(checkpoint.network, draft.fp32, metadata)
        quantize_model(draft.fp32, draft.int8, inputs.calibration)
        measurements = measure(checkpoint, draft, inputs)
        contract = build_contract(checkpoint.name, draft, measurements, decide(measurements))
        draft.contract.write_text(json.dumps(contract, indent=2) + "\n")
        for file in (draft.checkpoint, draft.fp32, draft.int8, draft.contract):
            file.replace(weights.path / file.name)
    return Build(Contract.verify(weights.path), measurements)
