"""The evaluation covers MNIST, wild images and outliers."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from export.data.dataset import Dataset
from export.data.wild import MAX_DECODED_BYTES
from export.evaluation.evaluate import evaluate_model, ood_metrics
from export.evaluation.records import predict_mnist
from export.model_folder import ModelFolder
from service.errors import ModelError
from service.inference.classifier import Classifier
from service.inference.predictor import Predictor
from tests.conftest import ROOT, WEIGHTS

MODEL = ModelFolder(WEIGHTS / "cnn-transformer")


def test_confidence_separates_digits_from_outliers(classifier: Classifier, mnist_test: Dataset) -> None:
    """Reaches an AUROC above 0.95 with 500 digits and 30 outliers of each kind."""
    predictor = Predictor(classifier, MAX_DECODED_BYTES)
    sources = {"MNIST test": predict_mnist(predictor, mnist_test.take(np.arange(500)))}
    metrics = ood_metrics(predictor, sources, outliers_per_kind=30)
    assert (metrics["digits"], metrics["outliers_per_kind"]) == (500, 30)
    assert metrics["auroc"]["all"] > 0.95


@pytest.mark.slow
def test_an_evaluation_reproduces_the_committed_metrics(mnist_folder: Path, tmp_path: Path) -> None:
    """Measures MNIST and outliers again with the committed results, the wild images too, and every form of mishap."""
    wild = ROOT.parent / "shared" / "data" / "wild-dev"
    if not wild.is_dir():
        pytest.skip(
            "The wild images are missing: the committed results include them. Put them at ../shared/data/wild-dev."
        )
    output = ModelFolder(tmp_path / "output")
    evaluate_model(MODEL, mnist_folder, wild, output, mishaps_per_form=2)
    metrics, committed = (json.loads(folder.evaluation.read_text()) for folder in (output, MODEL))
    assert list(metrics["sources"]) == list(committed["sources"]) == ["MNIST test", "wild"]
    assert metrics["file_sha256"] == committed["file_sha256"]
    assert metrics["sources"]["MNIST test"]["accuracy"] == committed["sources"]["MNIST test"]["accuracy"]
    assert metrics["sources"]["wild"]["accuracy"] == committed["sources"]["wild"]["accuracy"]
    assert list(metrics["mishaps"]) == list(committed["mishaps"])
    assert list(metrics["thresholds"]) == list(committed["thresholds"]) == ["MNIST test", "wild", "mishaps"]
    for kind, area in committed["ood"]["auroc"].items():
        assert metrics["ood"]["auroc"][kind] == pytest.approx(area, abs=0.002)


def test_a_damaged_model_is_not_evaluated(tmp_path: Path) -> None:
    """Verifies the contract first."""
    model = ModelFolder(Path(shutil.copytree(MODEL.path, tmp_path / "model")))
    model.int8.write_bytes(model.int8.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"model.int8.onnx has SHA-256 .*, but its contract says"):
        evaluate_model(model, None, None, ModelFolder(tmp_path / "output"))
