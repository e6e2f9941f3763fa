"""The exported file has a free batch dimension, says nothing of the machine, and is the same every time."""

import hashlib
from collections import Counter
from pathlib import Path

import onnx
import pytest
import torch

from export import checkpoint
from export.errors import ExportError
from export.model import ARCHITECTURES, CnnTransformer
from export.to_onnx import OPSET, check, convert
from service.settings import WEIGHTS


@pytest.fixture(scope="module", params=ARCHITECTURES)
def exported(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A committed checkpoint, exported anew, with the metadata of the committed file."""
    path = Path(tmp_path_factory.mktemp("export"), request.param, "model.onnx")
    path.parent.mkdir()
    weights = WEIGHTS / request.param / checkpoint.CHECKPOINT
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    convert(checkpoint.load(request.param, weights), path, {"model": request.param, "checkpoint_sha256": digest})
    return path


def test_the_batch_dimension_is_free(exported: Path) -> None:
    """N in input and output; everything else is a number."""
    graph = onnx.load(exported).graph
    shapes = [[d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in graph.input]
    assert shapes == [["N", 1, 28, 28]]
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_a_fixed_batch_dimension_is_refused(exported: Path) -> None:
    """The check can fail."""
    model = onnx.load(exported)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    with pytest.raises(ExportError, match="image has no symbolic batch dimension"):
        check(model)


def test_opset_and_metadata_are_what_they_should_be(exported: Path) -> None:
    """One domain, the pinned opset, and where the weights come from."""
    model = onnx.load(exported)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert {entry.key for entry in model.metadata_props} == {"model", "checkpoint_sha256"}


def test_the_file_says_nothing_of_the_machine(exported: Path) -> None:
    """No source path, no stack trace."""
    content = exported.read_bytes()
    for trace in (b'.py", line', b"/site-packages", b"stack_trace", str(Path.cwd()).encode()):
        assert trace not in content


def test_normalisation_is_folded_into_the_convolutions(exported: Path) -> None:
    """It costs nothing when it is served."""
    assert "BatchNormalization" not in {node.op_type for node in onnx.load(exported).graph.node}


def test_exporting_again_gives_the_committed_bytes(exported: Path) -> None:
    """The same checkpoint and the pinned torch: the same file, to the bit."""
    assert exported.read_bytes() == (WEIGHTS / exported.parent.name / "model.onnx").read_bytes()


def test_the_transformer_is_few_nodes(tmp_path: Path) -> None:
    """One for each linear layer with its bias, one for each attention."""
    convert(CnnTransformer().eval(), tmp_path / "model.onnx", {})
    nodes = Counter(node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node)
    assert (nodes["Gemm"], nodes["Attention"], nodes["MatMul"]) == (10, 2, 0)
    assert nodes.total() <= 42


def test_other_weights_give_another_file(exported: Path, tmp_path: Path) -> None:
    """So that equal bytes mean something."""
    torch.manual_seed(0)
    convert(CnnTransformer().eval(), tmp_path / "other.onnx", {})
    assert (tmp_path / "other.onnx").read_bytes() != exported.read_bytes()
