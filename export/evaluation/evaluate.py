"""Evaluate a served model on MNIST's test set, on wild images, on mishaps and on outliers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.data.mishaps.forms import eval_mishaps
from export.data.mnist import load_test
from export.data.outliers import LOOKALIKE_KIND, eval_outliers
from export.data.own_digits import load_own_digits
from export.data.wild import MAX_DECODED_BYTES, load_wild
from export.evaluation.card import write_card
from export.evaluation.metrics import auroc, compute_metrics, mishap_metrics
from export.evaluation.records import (
    EvalRecord,
    ood_confidences,
    predict_mishaps,
    predict_mnist,
    predict_own_digits,
    predict_wild,
)
from export.model_folder import ModelFolder
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.inference.predictor import Predictor

OUTLIERS_PER_KIND = 500
MISHAPS_PER_FORM = 100


def evaluate_model(
    weights: ModelFolder,
    mnist: Path | None,
    wild: Path | None,
    output: ModelFolder,
    mishaps_per_form: int = MISHAPS_PER_FORM,
    own_folder: Path | None = None,
) -> None:
    """Evaluate the model in `weights`, and write its metrics, plots and card to `output`.

    own_folder: own digits, of which the held-out ones are read. Raises DataError if images cannot be loaded, and
    ModelError if the model does not fulfill its contract.
    """
    held_out = load_own_digits(own_folder).held_out if own_folder else []
    predictor = Predictor(Classifier(Contract.verify(weights.path)), MAX_DECODED_BYTES)
    digits = load_test(mnist)
    sources = {"MNIST test": predict_mnist(predictor, digits)}
    if wild:
        sources["wild"] = predict_wild(predictor, load_wild(wild))
    if held_out:
        sources["own digits, held out"] = predict_own_digits(predictor, held_out)
    results = {
        "sources": {name: compute_metrics(records) for name, records in sources.items()},
        "mishaps": mishap_metrics(predict_mishaps(predictor, eval_mishaps(digits, mishaps_per_form))),
        "ood": ood_metrics(predictor, sources),
    }
    write_card(weights, sources, results, output)


def ood_metrics(
    predictor: Predictor, sources: Mapping[str, Sequence[EvalRecord]], outliers_per_kind: int = OUTLIERS_PER_KIND
) -> dict[str, Any]:
    """Measure how well the confidence separates digits from outliers: the AUROC by kind and overall.

    `all` leaves out the look-alikes of digits, because nobody can tell an O from a 0.
    """
    digits = np.array([record.confidence for records in sources.values() for record in records])
    images = eval_outliers(outliers_per_kind)
    kinds = {kind: ood_confidences(predictor, outliers) for kind, outliers in images.items()}
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
