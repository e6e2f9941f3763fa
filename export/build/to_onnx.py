"""Export a network to one ONNX file: symbolic batch size, reproducible bytes."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import nn

from export.errors import ExportError

OPSET = 23  # the first with an Attention operator

# The exporter warns about every optional package that is not installed.
logging.getLogger("torch.onnx").setLevel(logging.ERROR)
# torch 2.13 warns about its own code.
warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)


def export_onnx(network: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a network in evaluation mode to `path`. The same network and metadata give the same bytes.

    Raises ExportError if the graph has a fixed batch size.
    """
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 1, 28, 28),),  # a batch size of one would be exported as a constant
        input_names=["image"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("N")},),
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        optimize=True,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    strip_metadata(model)
    model.producer_version = torch.__version__.partition("+")[0]  # the same for CPU and CUDA builds
    onnx.helper.set_model_props(model, dict(metadata))
    check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def strip_metadata(model: onnx.ModelProto) -> None:
    """Remove what the exporter records about its machine: source paths, stack traces, docstrings."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def check_model(model: onnx.ModelProto) -> None:
    """Run ONNX's checker. Raises ExportError if the batch size of input or output is not symbolic."""
    onnx.checker.check_model(model, full_check=True)
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.shape.dim[0].dim_param != "N":
            raise ExportError(f"The exported {value.name} has no symbolic batch dimension N.")
