"""Evaluate a served model on MNIST's test set, on wild images and on outliers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.data.mnist import load_test
from export.data.outliers import LOOKALIKE_KIND, eval_outliers
from export.data.wild import load_wild
from export.evaluation.card import write_card
from export.evaluation.metrics import auroc, compute_metrics
from export.evaluation.records import EvalRecord, ood_confidences, predict_mnist, predict_wild
from export.model_folder import ModelFolder
from service.inference.classifier import Classifier
from service.inference.contract import Contract

OUTLIERS_PER_KIND = 500


def evaluate_model(weights: ModelFolder, mnist: Path | None, wild: Path | None, output: ModelFolder) -> None:
    """Evaluate the model in `weights`, and write its metrics, plots and card to `output`.

    Raises DataError if MNIST or the wild images cannot be loaded, and ModelError if the model does not fulfill its
    contract.
    """
    classifier = Classifier(Contract.verify(weights.path))
    sources = {"MNIST test": predict_mnist(classifier, load_test(mnist))}
    if wild:
        sources["wild"] = predict_wild(classifier, load_wild(wild))
    results = {
        "sources": {name: compute_metrics(records) for name, records in sources.items()},
        "ood": ood_metrics(classifier, sources),
    }
    write_card(weights, sources, results, output)


def ood_metrics(
    classifier: Classifier, sources: Mapping[str, Sequence[EvalRecord]], outliers_per_kind: int = OUTLIERS_PER_KIND
) -> dict[str, Any]:
    """Measure how well the confidence separates digits from outliers: the AUROC by kind and overall.

    `all` leaves out the look-alikes of digits, because nobody can tell an O from a 0.
    """
    digits = np.array([record.confidence for records in sources.values() for record in records])
    images = eval_outliers(outliers_per_kind)
    kinds = {kind: ood_confidences(classifier, outliers) for kind, outliers in images.items()}
    distinct = np.concatenate([confidences for kind, confidences in kinds.items() if kind != LOOKALIKE_KIND])
    return {
        "digits": len(digits),
        "outliers_per_kind": outliers_per_kind,
        "auroc": {
            **{kind: auroc(digits, confidences) for kind, confidences in kinds.items()},
            "all": auroc(digits, distinct),
            "all and look-alikes": auroc(digits, np.concatenate(list(kinds.values()))),
        },
    }
