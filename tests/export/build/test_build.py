"""The whole export: reproducible, for any checkpoint, and all or nothing."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from export.__main__ import main
from export.build.build import export_checkpoint
from export.build.inputs import EXAMPLES, ExportInputs, example_images, mnist_inputs
from export.data.dataset import Dataset
from export.errors import ParityError
from export.model import Cnn
from export.model_folder import ModelFolder
from export.training.checkpoint import Checkpoint, load_checkpoint, sha256
from tests.conftest import WEIGHTS

NAME = "cnn-transformer"
COMMITTED = ModelFolder(WEIGHTS / NAME)


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    """Copy the committed model, so that tests can export into it."""
    return ModelFolder(Path(shutil.copytree(COMMITTED.path, tmp_path / NAME)))


@pytest.fixture(scope="session")
def few_inputs(mnist_test: Dataset) -> ExportInputs:
    """Return 200 test images, which also stand in for the calibration images, and the examples."""
    labeled = mnist_inputs(mnist_test.take(np.arange(200)))
    return ExportInputs(labeled.images[:100], {"mnist-test": labeled}, {"examples": example_images(EXAMPLES)})


def contents(folder: ModelFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


@pytest.mark.slow
def test_the_command_exports_the_committed_bytes(
    folder: ModelFolder,
    mnist_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Writes checkpoint, fp32 and int8 of the committed model again, byte for byte, with parity on MNIST."""
    monkeypatch.setenv("MNIST_DIR", str(mnist_folder))
    monkeypatch.delenv("WILD_DIR", raising=False)
    main(["build", "--model", NAME, "--weights", str(tmp_path), "--runs", str(tmp_path / "runs")])
    assert contents(folder).keys() == contents(COMMITTED).keys()
    for path in (COMMITTED.checkpoint, COMMITTED.fp32, COMMITTED.int8):
        assert (folder.path / path.name).read_bytes() == path.read_bytes()
    fp32 = json.loads(folder.contract.read_text())["files"][folder.fp32.name]
    assert fp32["parity"]["images"] == {"mnist-test": 10_000, "examples": 12, "random": 1000}
    assert fp32["accuracy"]["mnist-test"]["correct"] >= 9960
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Exported {NAME} to {folder.path}."
    assert lines[-1].endswith(f"of the fp32 CPU time; see {tmp_path}/runs/{NAME}/export.json.")


def test_exporting_twice_gives_the_same_bytes(folder: ModelFolder, few_inputs: ExportInputs) -> None:
    """Repeats every file, contract.json included."""
    checkpoint = load_checkpoint(NAME, COMMITTED.checkpoint)
    export_checkpoint(checkpoint, few_inputs, folder)
    first = contents(folder)
    assert first[folder.contract.name] != COMMITTED.contract.read_bytes()  # fewer images
    export_checkpoint(checkpoint, few_inputs, folder)
    assert contents(folder) == first


def test_any_checkpoint_can_be_exported(few_inputs: ExportInputs, tmp_path: Path) -> None:
    """Exports random weights into a folder that does not exist yet, with a contract of their own."""
    torch.manual_seed(0)
    torch.save(Cnn().state_dict(), tmp_path / "mine.pth")
    folder = ModelFolder(tmp_path / "weights" / "cnn")
    build = export_checkpoint(load_checkpoint("cnn", tmp_path / "mine.pth"), few_inputs, folder)
    assert build.contract.content["files"][folder.checkpoint.name]["sha256"] == sha256(tmp_path / "mine.pth")
    assert set(contents(folder)) == {
        path.name for path in (folder.checkpoint, folder.fp32, folder.int8, folder.contract)
    }


class OffsetUnlessExported(nn.Module):
    """Computes other logits in PyTorch than in the exported graph: they differ by 0.001."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Add the offset only outside the exporter."""
        logits: Tensor = self.network(images)
        return logits if torch.compiler.is_exporting() else logits + 0.001


def test_a_parity_error_leaves_the_last_files_in_place(folder: ModelFolder, few_inputs: ExportInputs) -> None:
    """Changes no file, and adds none, if the exported graph computes other logits."""
    before = contents(folder)
    network = OffsetUnlessExported(load_checkpoint(NAME, folder.checkpoint).network).eval()
    with pytest.raises(ParityError, match="mnist-test at batch size 1: the logits differ by up to 0.001"):
        export_checkpoint(Checkpoint(NAME, folder.checkpoint, network), few_inputs, folder)
    assert contents(folder) == before


def test_a_checkpoint_of_another_model_leaves_no_folder(tmp_path: Path) -> None:
    """Exits before anything is written."""
    with pytest.raises(SystemExit, match="^export build: .*it lacks position"):
        main(["build", "--weights", str(tmp_path), "--checkpoint", str(ModelFolder(WEIGHTS / "cnn").checkpoint)])
    assert list(tmp_path.iterdir()) == []
