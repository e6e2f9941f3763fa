"""Evaluate a served model on MNIST's test set, on wild images, on mishaps and on outliers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.data.mishaps.forms import FORMS, eval_mishaps
from export.data.mnist import load_test
from export.data.outliers import LOOKALIKE_KIND, eval_outliers
from export.data.own_digits import load_own_digits
from export.data.wild import MAX_DECODED_BYTES, load_wild
from export.errors import NotExportedError
from export.evaluation.card import write_card
from export.evaluation.metrics import accepted_share, auroc, compute_metrics, mishap_metrics, threshold_metrics
from export.evaluation.records import (
    EvalRecord,
    ood_confidences,
    predict_mishaps,
    predict_mnist,
    predict_own_digits,
    predict_wild,
)
from export.model_folder import ModelFolder
from export.progress import Progress
from service.errors import ModelError
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.inference.predictor import Predictor

OUTLIERS_PER_KIND = 500
MISHAPS_PER_FORM = 100
MISHAPS = "mishaps"


def evaluate_model(
    weights: ModelFolder,
    mnist: Path | None,
    wild: Path | None,
    output: ModelFolder,
    mishaps_per_form: int = MISHAPS_PER_FORM,
    own_folder: Path | None = None,
) -> None:
    """Evaluate the model in `weights`, and write its metrics, plots and card to `output`.

    own_folder: own digits, of which the held-out ones are read. Raises NotExportedError if the model has no served
    files, ModelError if it does not fulfill its contract, and DataError if images cannot be loaded.
    """
    held_out = load_own_digits(own_folder).held_out if own_folder else []
    predictor = Predictor(Classifier(_verify(weights)), MAX_DECODED_BYTES)
    digits = load_test(mnist)
    sources = {"MNIST test": predict_mnist(predictor, digits)}
    if wild:
        sources["wild"] = predict_wild(predictor, Progress(load_wild(wild), "Reading wild images"))
    if held_out:
        sources["own digits, held out"] = predict_own_digits(predictor, held_out)
    mishaps = Progress(eval_mishaps(digits, mishaps_per_form), "Reading mishaps", len(FORMS) * mishaps_per_form)
    records = {**sources, MISHAPS: predict_mishaps(predictor, mishaps)}
    results = {
        "sources": {name: compute_metrics(sources[name]) for name in sources},
        "mishaps": mishap_metrics(records[MISHAPS]),
        "thresholds": {name: threshold_metrics(records[name]) for name in records},
        "ood": ood_metrics(predictor, sources),
    }
    write_card(weights, records, results, output)


def _verify(weights: ModelFolder) -> Contract:
    """Verify the contract of a model. Raises NotExportedError or ModelError, which say what to run first."""
    export = f"run `make export MODEL={weights.name}`"
    if not weights.contract.exists():
        if weights.checkpoint.exists():
            raise NotExportedError(f"{weights.checkpoint} was trained, but not exported. First {export}.")
        raise NotExportedError(
            f"There is no model in {weights.path}. Train one with `make train MODEL={weights.name}`, then {export}."
        )
    try:
        return Contract.verify(weights.path)
    except ModelError as error:
        raise ModelError(f"{error} After `make train`, {export} before an evaluation.") from error


def ood_metrics(
    predictor: Predictor, sources: Mapping[str, Sequence[EvalRecord]], outliers_per_kind: int = OUTLIERS_PER_KIND
) -> dict[str, Any]:
    """Measure how well the confidence separates digits from outliers: AUROC and accepted share by kind and overall.

    `all` leaves out the look-alikes of digits, because nobody can tell an O from a 0.
    """
    digits = np.array([record.confidence for records in sources.values() for record in records])
    images = eval_outliers(outliers_per_kind)
    kinds = {
        kind: ood_confidences(predictor, Progress(outliers, f"Reading {kind}", outliers_per_kind))
        for kind, outliers in images.items()
    }
    distinct = np.concatenate([confidences for kind, confidences in kinds.items() if kind != LOOKALIKE_KIND])
    groups = {**kinds, "all": distinct, "all and look-alikes": np.concatenate(list(kinds.values()))}
    return {
        "digits": len(digits),
        "outliers_per_kind": outliers_per_kind,
        "auroc": {kind: auroc(digits, confidences) for kind, confidences in groups.items()},
        "accepted": {kind: accepted_share(confidences) for kind, confidences in groups.items()},
    }
