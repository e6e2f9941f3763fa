"""A checkpoint becomes one ONNX file: N symbolic, nothing in it but the graph."""

import logging
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import nn

from export.errors import ExportError
from service.preprocess import SIDE

OPSET = 23  # the first with an Attention operator

# The exporter warns about every optional package that is not installed.
logging.getLogger("torch.onnx").setLevel(logging.ERROR)


def convert(network: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the network as ONNX, checked; the same network gives the same bytes."""
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 1, SIDE, SIDE),),  # a batch of one would be taken for a constant
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
    strip(model)
    model.producer_version = torch.__version__.partition("+")[0]  # every build of a version writes the same bytes
    onnx.helper.set_model_props(model, dict(metadata))
    check(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def strip(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes about the machine it ran on: source paths, stack traces, docs."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def check(model: onnx.ModelProto) -> None:
    """The ONNX checker, and the batch dimension: raises where N is a number."""
    onnx.checker.check_model(model, full_check=True)
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.shape.dim[0].dim_param != "N":
            raise ExportError(f"The exported {value.name} has no symbolic batch dimension N.")
