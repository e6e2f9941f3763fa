"""Parity holds for the committed files, and breaks for anything less."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

import export.__main__ as build_step
from export import checkpoint, to_onnx
from export.checkpoint import sha256
from export.contract import FP32
from export.data import Digits
from export.errors import CheckpointError, ParityError
from export.material import EXAMPLES, MNIST, Material, examples, from_mnist, noise
from export.model import ARCHITECTURES, Cnn
from export.parity import BATCH_SIZES, TOLERANCE, compare, prove, sketch
from service.classifier import Session
from service.settings import WEIGHTS
from tests.conftest import ROOT

NAME = "cnn-transformer"
FOLDER = WEIGHTS / NAME
NETWORK = checkpoint.load(NAME, FOLDER / checkpoint.CHECKPOINT)
SOURCES = {"examples": examples(EXAMPLES), "random": noise()}

Floats = NDArray[np.float32]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the committed model, to export into."""
    return Path(shutil.copytree(FOLDER, tmp_path / NAME))


@pytest.fixture
def material(mnist_test: Digits) -> Material:
    """MNIST's test set, and a few of its images in place of the training set's to calibrate with."""
    labelled = from_mnist(mnist_test)
    return Material(labelled.images[:100], {MNIST: labelled}, SOURCES)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_committed_models_agree_with_their_checkpoints(name: str) -> None:
    """At every batch size, on the examples and on noise."""
    network = checkpoint.load(name, WEIGHTS / name / checkpoint.CHECKPOINT)
    record = prove(network, Session(WEIGHTS / name / FP32).logits, SOURCES)
    assert 0 < record["worst_logit_difference"] <= TOLERANCE
    assert record["batch_sizes"] == list(BATCH_SIZES) == [1, 2, 3, 7, 32]
    assert record["images"] == {"examples": 12, "random": 1000}


def test_one_changed_weight_breaks_parity(tmp_path: Path) -> None:
    """A single number of the head, a little larger."""
    model = onnx.load(FOLDER / "model.onnx")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "head.weight")
    weights = numpy_helper.to_array(tensor).copy()
    weights[3, 5] += 0.01
    tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    onnx.save(model, tmp_path / "changed.onnx")
    with pytest.raises(ParityError, match="examples at batch size 1: the logits are off by up to"):
        prove(NETWORK, Session(tmp_path / "changed.onnx").logits, SOURCES)


def shifted(by: float) -> Floats:
    """Logits that differ from torch's by one number, in one image."""
    return np.where(np.arange(10) == 0, by, 0).astype(np.float32)


@pytest.mark.parametrize("by", [2e-4, -2e-4, float("nan"), float("inf")])
def test_a_logit_that_is_off_breaks_parity(by: float) -> None:
    """Also where it is no number."""
    honest = Session(FOLDER / "model.onnx").logits
    with pytest.raises(ParityError, match="The worst is image"):
        prove(NETWORK, lambda batch: honest(batch) + shifted(by), SOURCES)


def test_an_argmax_that_differs_breaks_parity_however_close_the_logits() -> None:
    """Two logits within the tolerance of each other, in the wrong order; that image is named as the worst."""
    honest = Session(FOLDER / "model.onnx").logits
    image = noise()[:40]
    answer = honest(image)
    torch_side = answer.copy()
    torch_side[17] = 0
    torch_side[17, 4] = 5e-5
    onnx_side = torch_side.copy()
    onnx_side[17, 4], onnx_side[17, 5] = 0, 5e-5
    with pytest.raises(ParityError, match="1 of 40 argmaxes differ. The worst is image 17"):
        compare("random", image, torch_side, onnx_side)


def test_the_worst_image_can_be_seen_in_a_terminal() -> None:
    """28 lines of 56 characters, ink where the digit is."""
    lines = sketch(SOURCES["examples"][0]).splitlines()
    assert [len(line) for line in lines] == [56] * 28
    assert "@" in "".join(lines)


def test_exporting_again_changes_nothing(folder: Path, material: Material) -> None:
    """The whole build step: the same ONNX file, and a contract that proves as much."""
    before = snapshot(folder)
    contract = build_step.build(NAME, folder, material)
    assert snapshot(folder)[FP32] == before[FP32]
    assert snapshot(folder).keys() == before.keys()
    proven = contract.content["files"][FP32]
    assert proven["parity"]["images"] == {MNIST: 10_000, "examples": 12, "random": 1000}
    assert proven["accuracy"][MNIST]["correct"] >= 9960


def test_anyones_checkpoint_can_be_exported(material: Material, tmp_path: Path) -> None:
    """Into a folder that need not exist; one that fits another architecture leaves none behind."""
    torch.manual_seed(0)
    torch.save(Cnn().state_dict(), tmp_path / "mine.pth")
    contract = build_step.build("cnn", tmp_path / "cnn", material, tmp_path / "mine.pth")
    assert contract.content["files"][checkpoint.CHECKPOINT]["sha256"] == sha256(tmp_path / "mine.pth")
    with pytest.raises(CheckpointError, match="it lacks position"):
        build_step.build(NAME, tmp_path / NAME, material, tmp_path / "mine.pth")
    assert not (tmp_path / NAME).exists()


def test_a_breach_leaves_the_last_good_files_in_place(
    folder: Path, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exporter that writes one wrong weight: no file changes, and none is added."""
    honest = to_onnx.convert

    def careless(network: nn.Module, path: Path, metadata: dict[str, str]) -> None:
        honest(network, path, metadata)
        model = onnx.load(path)
        raw = bytearray(next(t for t in model.graph.initializer if t.name == "head.bias").raw_data)
        raw[3] ^= 0x80
        next(t for t in model.graph.initializer if t.name == "head.bias").raw_data = bytes(raw)
        onnx.save(model, path)

    before = snapshot(folder)
    monkeypatch.setattr(to_onnx, "convert", careless)
    with pytest.raises(ParityError):
        build_step.build(NAME, folder, material)
    assert snapshot(folder) == before


def test_the_command_exits_with_one_sentence(tmp_path: Path, mnist_folder: Path) -> None:
    """Non-zero, no traceback, and what to do next."""
    (tmp_path / NAME).mkdir()
    finished = subprocess.run(
        [sys.executable, "-m", "export", "--weights", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "MNIST_DIR": str(mnist_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith("make export: ")
    assert "Train a model with `make train`" in finished.stderr
    assert "Traceback" not in finished.stderr
