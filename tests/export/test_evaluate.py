"""The evaluation reads as the service does, and its card tells what it found."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from examples.draw import PICTURES
from export import evaluate
from export.card import write
from export.data import Digits
from export.errors import DataError
from export.metrics import measure
from export.readings import read_mnist, read_pictures
from service.classifier import Classifier
from service.contract import Contract
from service.settings import WEIGHTS
from tests.conftest import ROOT
from tests.export.readings import reading

FOLDER = WEIGHTS / "cnn-transformer"
DOUBT = {"digits": 2, "images_of_each_kind": 1, "auroc": {"letters": 0.5, "all": 0.5}}


def test_a_wrong_label_is_counted(classifier: Classifier, mnist_test: Digits) -> None:
    """Of 200 images, labelled as they are read, one is given another label."""
    few = mnist_test.take(np.arange(200))
    few.labels[:] = [found.answer.digit for found in read_mnist(classifier, few) if found.answer]
    few.labels[0] = (few.labels[0] + 1) % 10
    assert measure(read_mnist(classifier, few))["correct"] == 199


def test_a_folder_of_pictures_is_read_as_the_service_reads_it(classifier: Classifier, tmp_path: Path) -> None:
    """The examples, and one file that is refused."""
    rows = ["file,label,writer,kind"]
    for picture in PICTURES:
        (tmp_path / picture.name).write_bytes((ROOT / "examples" / picture.name).read_bytes())
        rows.append(f"{picture.name},{picture.digit},w1,paint")
    (tmp_path / "text.png").write_text("seven")
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "text.png,7,w2,scan"]) + "\n")
    readings = read_pictures(classifier, tmp_path)
    assert [found.right for found in readings] == [True] * len(PICTURES) + [False]
    assert readings[-1].answer is None
    assert readings[-1].confidence == 0


def test_a_folder_without_labels_is_named(classifier: Classifier, tmp_path: Path) -> None:
    """With what to set."""
    with pytest.raises(DataError, match=r"labels.csv cannot be read \(No such file or directory\). Set WILD_DIR"):
        read_pictures(classifier, tmp_path)


def test_the_model_doubts_what_is_no_digit(classifier: Classifier, mnist_test: Digits) -> None:
    """A few pictures of each kind against a few of MNIST's."""
    sources = {evaluate.MNIST: read_mnist(classifier, mnist_test.take(np.arange(500)))}
    found = evaluate.not_digits(classifier, sources, count=30)
    assert found["digits"] == 500
    assert found["auroc"]["all"] > 0.95


def test_the_card_shows_what_was_measured(tmp_path: Path) -> None:
    """Numbers with n, per source, kind and digit, and every plot that it names is there."""
    readings = [reading(1, 1, 0.9, "a", "photo"), reading(2, 7, 0.4, "b", "scan")]
    results = {"sources": {"some": measure(readings)}, "not_a_digit": DOUBT}
    write(tmp_path, FOLDER, {"some": readings}, results)
    card = (tmp_path / "README.md").read_text()
    assert "| some | 2 | 1 | 50.00% |" in card
    assert "photo 100.00% (1), scan 0.00% (1); mean over 2 writers 50.00%" in card
    assert "| 2 | 0.00% of 1 |" in card
    for plot in ("training", "reliability", "confusion", "misread"):
        assert f"({plot}.png)" in card
        assert (tmp_path / f"{plot}.png").stat().st_size > 0
    numbers = json.loads((tmp_path / "evaluation.json").read_text())
    contract = Contract.verify(FOLDER)
    assert numbers == {"file_sha256": contract.served["sha256"], **results}


def test_the_card_does_not_tell_of_another_checkpoints_training(tmp_path: Path) -> None:
    """A report belongs to the checkpoint whose hash it has."""
    folder = shutil.copytree(FOLDER, tmp_path / "model")
    report = json.loads((folder / "training.json").read_text())
    (folder / "training.json").write_text(json.dumps({**report, "checkpoint_sha256": "another"}))
    readings = [reading(1, 1)]
    write(tmp_path, folder, {"some": readings}, {"sources": {"some": measure(readings)}, "not_a_digit": DOUBT})
    assert "came without a report of its training" in (tmp_path / "README.md").read_text()
    assert not (tmp_path / "training.png").exists()
