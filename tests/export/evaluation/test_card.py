"""The model card shows what was measured, and only the training of its own checkpoint."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from export.evaluation.card import write_card
from export.evaluation.metrics import THRESHOLDS, compute_metrics, threshold_metrics
from export.evaluation.records import EvalRecord
from export.model_folder import ModelFolder
from service.inference.contract import Contract
from tests.conftest import WEIGHTS
from tests.export.evaluation.records import make_record

MODEL = ModelFolder(WEIGHTS / "cnn-transformer")
MISHAPS = {"glare": {"images": 4, "correct": 3, "accuracy": 0.75, "confidence": 0.8}}
ACCEPTED = {str(threshold): 0.25 for threshold in THRESHOLDS}
OOD = {
    "digits": 2,
    "outliers_per_kind": 1,
    "auroc": {"letters": 0.5, "all": 0.5},
    "accepted": {"letters": ACCEPTED, "all": ACCEPTED},
}


def metrics(records: Sequence[EvalRecord]) -> dict[str, Any]:
    """Return the results of one source called `some`."""
    return {
        "sources": {"some": compute_metrics(records)},
        "mishaps": MISHAPS,
        "thresholds": {"some": threshold_metrics(records)},
        "ood": OOD,
    }


def write(model: ModelFolder, records: Sequence[EvalRecord], output: ModelFolder) -> str:
    """Write the card of one source called `some`, and return its text."""
    write_card(model, {"some": records}, metrics(records), output)
    return output.card.read_text()


def test_the_card_shows_the_metrics(tmp_path: Path) -> None:
    """Gives accuracy with n and 95% interval by source, kind and digit, and the OOD detection AUROC."""
    records = [make_record(1, 1, 0.9, "a", "photo"), make_record(2, 7, 0.4, "b", "scan")]
    card = write(MODEL, records, ModelFolder(tmp_path))
    assert "| some | 2 | 1 | 50.00% (9.45 to 90.55) | 25.00% |" in card
    assert "photo 100.00% (20.65 to 100.00), n = 1; scan 0.00% (0.00 to 79.35), n = 1. Mean over 2 writers: 50" in card
    assert "| 2 | 0.00% (0.00 to 79.35) of 1 |" in card
    assert "Mean accuracy over the 1 forms: 75.0%." in card
    assert "| glare | 4 | 75.0% (30.1 to 95.4) | 0.80 |" in card
    assert "| letters | 0.5000 | 25.0% |" in card


def test_the_card_shows_what_a_threshold_leaves(tmp_path: Path) -> None:
    """Gives number and share of the predictions above each threshold, and their accuracy, if there are any."""
    records = [*[make_record(1, 1, 0.97)] * 3, make_record(2, 7, 0.85), make_record(3, None)]
    card = write(MODEL, records, ModelFolder(tmp_path))
    assert "| some | 0.5 | 4 (80.0%) | 75.00% (30.06 to 95.44) |" in card
    assert "| some | 0.95 | 3 (60.0%) | 100.00% (43.85 to 100.00) |" in card
    assert "| some | 0.99 | 0 (0.0%) | none |" in card


def test_every_plot_of_the_card_is_written(tmp_path: Path) -> None:
    """Links four plots, and writes each of them."""
    output = ModelFolder(tmp_path)
    card = write(MODEL, [make_record(1, 1)], output)
    for plot in (output.training_plot, output.reliability_plot, output.confusion_plot, output.misread_plot):
        assert f"({plot.name})" in card
        assert plot.stat().st_size > 0


def test_the_metrics_are_written_with_the_hash_of_the_served_file(tmp_path: Path) -> None:
    """Writes evaluation.json with all results."""
    output, records = ModelFolder(tmp_path), [make_record(1, 1)]
    write(MODEL, records, output)
    served = Contract.verify(MODEL.path).served["sha256"]
    assert json.loads(output.evaluation.read_text()) == {"file_sha256": served, **metrics(records)}


def test_one_epoch_is_singular(tmp_path: Path) -> None:
    """Writes `1 epoch`, and states the intended use."""
    model = ModelFolder(Path(shutil.copytree(MODEL.path, tmp_path / "model")))
    report = json.loads(model.training_report.read_text())
    report["history"] = report["history"][:1]
    report["settings"]["passes"] = 1
    model.training_report.write_text(json.dumps(report))
    card = write(model, [make_record(1, 1)], ModelFolder(tmp_path / "output"))
    assert "; 1 epoch of 66,500 images;" in card
    assert "## Intended use and limits" in card


def test_the_card_says_what_own_digits_were_added(tmp_path: Path) -> None:
    """State counts, hash and both accuracies, of every run that led to the checkpoint, and where training started."""
    model = ModelFolder(Path(shutil.copytree(MODEL.path, tmp_path / "model")))
    first = json.loads(model.training_report.read_text())
    own = {"sha256": "ab" * 32, "training": 1240, "validation": 310, "validation_accuracy": {"after": 0.9}}
    accuracies = {"mnist_accuracy": 0.995, "own_digits_accuracy": 0.4}
    settings = {**first["settings"], "examples": [11_000], "epoch_size": [1] * 9, "start_sha256": "cd" * 32}
    settings |= {"is_own_teacher": True, "teacher_sha256": []}
    report = {**first, "settings": settings, "start": accuracies, "before": {**first, "own_digits": own}}
    later = {**own, "training": 1400, "validation_accuracy": {"before": 0.4, "after": 0.975}}
    model.training_report.write_text(json.dumps({**report, "own_digits": later}))
    card = write(model, [make_record(1, 1)], ModelFolder(tmp_path / "output"))
    assert "- 11,000 of MNIST's 60,000 training images." in card
    assert "- Own digits, each several times per epoch." in card
    epochs = f"{len(first['history'])} epochs of 66,500 images, each 4 times, 4 teachers"
    start = f"SHA-256 `{'cd' * 8}…` ({epochs}), whose validation accuracy is 99.50% on mnist and 40.00% on own digits."
    assert f"Training started from the checkpoint with {start}" in card
    assert "It learned from the labels and from the answers of the checkpoint that it started from." in card
    assert f"1,400 images were added, and 310 more were held out (SHA-256 of both parts: `{'ab' * 32}`)." in card
    assert "Validation accuracy on the held-out images: 97.50% (40.00% before the run)." in card
    assert "1,240 images were added" in card
    assert "Validation accuracy on the held-out images: 90.00%." in card


@pytest.mark.parametrize(
    ("device", "shown"), [("Xeon, 1 threads", "Xeon, 1 thread ("), ("Xeon, 21 threads", "Xeon, 21 threads (")]
)
def test_the_number_of_threads_agrees_with_its_noun(device: str, shown: str, tmp_path: Path) -> None:
    """Corrects the plural of older training reports."""
    model = ModelFolder(Path(shutil.copytree(MODEL.path, tmp_path / "model")))
    report = json.loads(model.training_report.read_text())
    model.training_report.write_text(json.dumps({**report, "device": device}))
    assert shown in write(model, [make_record(1, 1)], ModelFolder(tmp_path / "output"))


def test_the_training_of_another_checkpoint_is_left_out(tmp_path: Path) -> None:
    """Ignores a report with the hash of another checkpoint."""
    model = ModelFolder(Path(shutil.copytree(MODEL.path, tmp_path / "model")))
    report = json.loads(model.training_report.read_text())
    model.training_report.write_text(json.dumps({**report, "checkpoint_sha256": "another"}))
    output = ModelFolder(tmp_path / "output")
    assert "This checkpoint has no training report." in write(model, [make_record(1, 1)], output)
    assert not output.training_plot.exists()
