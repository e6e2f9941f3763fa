"""The exported file has a symbolic batch size, no trace of its machine, and the same bytes every time."""

import hashlib
from collections import Counter
from pathlib import Path

import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from export.build.to_onnx import OPSET, check_model, export_onnx
from export.errors import ExportError
from export.model import ARCHITECTURES, CnnTransformer
from export.model_folder import ModelFolder
from export.training.checkpoint import load_checkpoint
from tests.conftest import ROOT, WEIGHTS


@pytest.fixture(scope="module", params=ARCHITECTURES)
def exported(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> ModelFolder:
    """Export a committed checkpoint again, with the metadata of the committed file."""
    committed = ModelFolder(WEIGHTS / request.param)
    folder = ModelFolder(tmp_path_factory.mktemp("export") / request.param)
    folder.path.mkdir()
    digest = hashlib.sha256(committed.checkpoint.read_bytes()).hexdigest()
    network = load_checkpoint(request.param, committed.checkpoint).network
    export_onnx(network, folder.fp32, {"model": request.param, "checkpoint_sha256": digest})
    return folder


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export the transformer with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("untrained") / "model.onnx"
    export_onnx(CnnTransformer().eval(), path, {})
    return path


def test_the_batch_size_is_symbolic(exported: ModelFolder) -> None:
    """Names it N in input and output; every other dimension is a number."""
    graph = onnx.load(exported.fp32).graph
    shapes = [[d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in graph.input]
    assert shapes == [["N", 1, 28, 28]]
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_a_fixed_batch_size_is_rejected(exported: ModelFolder) -> None:
    """Raises ExportError for a graph whose batch size is 2."""
    model = onnx.load(exported.fp32)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    with pytest.raises(ExportError, match="image has no symbolic batch dimension"):
        check_model(model)


def test_opset_and_metadata_are_pinned(exported: ModelFolder) -> None:
    """Uses one operator domain at the pinned opset, and records model and checkpoint."""
    model = onnx.load(exported.fp32)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert {entry.key for entry in model.metadata_props} == {"model", "checkpoint_sha256"}


def test_the_file_holds_no_trace_of_its_machine(exported: ModelFolder) -> None:
    """Contains no source path and no stack trace."""
    content = exported.fp32.read_bytes()
    for trace in (b'.py", line', b"/site-packages", b"stack_trace", str(ROOT).encode(), str(Path.cwd()).encode()):
        assert trace not in content


def test_batch_norm_is_folded_into_the_convolutions(exported: ModelFolder) -> None:
    """Has no BatchNormalization node."""
    assert "BatchNormalization" not in {node.op_type for node in onnx.load(exported.fp32).graph.node}


def test_exporting_again_gives_the_committed_bytes(exported: ModelFolder) -> None:
    """Writes the committed file again, byte for byte, with the pinned PyTorch."""
    assert exported.fp32.read_bytes() == ModelFolder(WEIGHTS / exported.name).fp32.read_bytes()


def test_the_committed_transformer_has_the_documented_layers() -> None:
    """Has a filter, 3 x 3 convolutions 1->32->32->64->64, two 2 x 2 poolings, and two attention layers of 4 heads."""
    graph = onnx.load(ModelFolder(WEIGHTS / "cnn-transformer").fp32).graph
    shapes = {tensor.name: list(numpy_helper.to_array(tensor).shape) for tensor in graph.initializer}
    kernels = [shapes[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    assert kernels == [[1, 1, 3, 3], [32, 1, 3, 3], [32, 32, 3, 3], [64, 32, 3, 3], [64, 64, 3, 3]]
    settings = [
        (node.op_type, {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute})
        for node in graph.node
    ]
    assert [attributes["kernel_shape"] for kind, attributes in settings if kind == "MaxPool"] == [[2, 2], [2, 2]]
    assert [attributes["q_num_heads"] for kind, attributes in settings if kind == "Attention"] == [4, 4]


def test_the_transformer_has_few_nodes(untrained: Path) -> None:
    """Has one node for each linear layer with its bias, for each attention, and for each of five convolutions."""
    nodes = Counter(node.op_type for node in onnx.load(untrained).graph.node)
    assert (nodes["Gemm"], nodes["Attention"], nodes["MatMul"], nodes["Conv"]) == (10, 2, 0, 5)
    assert nodes.total() <= 47


def test_other_weights_give_another_file(exported: ModelFolder, untrained: Path) -> None:
    """Does not give equal bytes for different networks."""
    assert untrained.read_bytes() != exported.fp32.read_bytes()
