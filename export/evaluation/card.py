"""Write the model card: how a model was trained, how accurate it is, and what it misreads."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from export.evaluation import plots, tables
from export.evaluation.card_training import count_of, describe_training
from export.evaluation.records import EvalRecord
from export.model_folder import ModelFolder

INTENDED_USE = """\
The model reads one digit, 0 to 9, handwritten, on an even or softly shaded background: drawings, scans, photos.

- It always predicts a digit. Reject predictions with a low confidence: most letters, symbols and scribbles get one.
- Characters that look like a digit (O, l, S, Z) are read as that digit, often with a high confidence.
- It reads numbers of up to 32 digits in one line with `/predict-number`, but no printed text or negative signs. Of
  several digits, `/predict` reads the one with the most ink, with a lower confidence.
- The training digits are those of MNIST, whose writers were American. Other forms were drawn by a program.
- Do not let it decide alone where an error harms someone."""

REJECTED_NOTE = """\
An image that the service rejects counts as an error here. Parity and accuracy in `contract.json` leave it out, so
their number of wild images can be smaller."""

THRESHOLD_NOTE = """\
A client that rejects predictions below a confidence keeps the accepted ones. The OOD detection below shows how many
outliers pass the same thresholds."""


def write_card(
    model: ModelFolder, sources: Mapping[str, Sequence[EvalRecord]], results: Mapping[str, Any], output: ModelFolder
) -> None:
    """Write metrics, plots and card of `model` to `output`, which may be the same folder.

    sources: the records by source name, the mishaps as a source of their own. results: the metrics, as
    `evaluate_model` computes them.
    """
    contract = json.loads(model.contract.read_text())
    training = _training_report(model, contract)
    output.path.mkdir(parents=True, exist_ok=True)
    served = contract["files"][contract["serves"]]["sha256"]
    output.evaluation.write_text(json.dumps({"file_sha256": served, **results}, indent=2) + "\n")
    _save_plots(training, sources, results, output)
    output.card.write_text("\n\n".join(_paragraphs(contract, training, results)) + "\n")


def _training_report(model: ModelFolder, contract: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the training report, if there is one and it belongs to this checkpoint."""
    if not model.training_report.exists():
        return None
    report: dict[str, Any] = json.loads(model.training_report.read_text())
    is_this_checkpoint = report.get("checkpoint_sha256") == contract["files"][model.checkpoint.name]["sha256"]
    return report if is_this_checkpoint else None


def _save_plots(
    training: Mapping[str, Any] | None,
    sources: Mapping[str, Sequence[EvalRecord]],
    results: Mapping[str, Any],
    output: ModelFolder,
) -> None:
    """Save every plot of the card."""
    if training:
        plots.plot_training(training["history"]).savefig(output.training_plot)
    plots.plot_reliability(sources).savefig(output.reliability_plot)
    plots.plot_confusion(results["sources"]).savefig(output.confusion_plot)
    misread = [record for records in sources.values() for record in records if not record.is_correct]
    plots.contact_sheet(misread).save(output.misread_plot)


def _paragraphs(
    contract: Mapping[str, Any], training: Mapping[str, Any] | None, results: Mapping[str, Any]
) -> list[str]:
    """Write the paragraphs of the card."""
    served, sources = contract["files"][contract["serves"]], results["sources"]
    return [
        f"# {contract['model']}",
        f"The service runs `{contract['serves']}` ({served['precision']}, SHA-256 `{served['sha256'][:16]}…`)."
        " The results below are those of this file, with the service's own decoding, preprocessing and session.",
        "## Intended use and limits",
        INTENDED_USE,
        "## Training",
        *(describe_training(training) if training else ["This checkpoint has no training report."]),
        "## Results",
        tables.source_table(sources),
        *(_accuracy_by_kind(name, source) for name, source in sources.items() if source["kinds"]),
        tables.digit_table(sources),
        tables.INTERVAL_NOTE,
        *([REJECTED_NOTE] if any(_rejected(source) for source in sources.values()) else []),
        "ECE is the expected calibration error over 15 bins: the mean gap between confidence and accuracy.",
        "![Reliability diagram](reliability.png)",
        "Above, each bar is the accuracy of the predictions in one of 15 bins of confidence, with its 95% interval and"
        " the number of predictions. Its dot is at their mean confidence: a calibrated model has its dots on the dashed"
        " line, up to the intervals. Below are the numbers of wrong and right predictions, on a logarithmic scale, in"
        " bins that are narrower toward 1.",
        "![Confusion matrix](confusion.png)",
        "Rows are labels, columns predictions; `none` counts rejected images.",
        "## Confidence thresholds",
        THRESHOLD_NOTE,
        tables.threshold_table(results["thresholds"]),
        "## Mishaps",
        *_mishaps(results["mishaps"]),
        "## OOD detection",
        *_ood(results["ood"]),
        "## Misread images",
        f"Images that the model misreads or the service rejects (at most {plots.MAX_TILES}): label→prediction, and the"
        " confidence.",
        "![Misread images](misread.png)",
    ]


def _rejected(source: Mapping[str, Any]) -> int:
    """Count the images of a source that the service rejected."""
    return sum(row[-1] for row in source["confusion"])


def _accuracy_by_kind(name: str, source: Mapping[str, Any]) -> str:
    """Write the accuracy on each kind of image, and the mean over writers."""
    kinds = (f"{kind} {tables.accuracy(group)}, n = {group['images']}" for kind, group in source["kinds"].items())
    return (
        f"Accuracy on {name} by kind: {'; '.join(kinds)}. Mean over {count_of(source['writers'], 'writer')}:"
        f" {source['writers_mean']:.2%}."
    )


def _mishaps(forms: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Write the paragraphs about mishaps."""
    mean = sum(form["accuracy"] for form in forms.values()) / len(forms)
    return [
        "Digits of MNIST's test set to which something happened between the hand and the upload, made by a program"
        f" (`export/data/mishaps`). Mean accuracy over the {len(forms)} forms: {mean:.1%}. A rejected image counts"
        " as an error of confidence 0.",
        tables.mishap_table(forms),
    ]


def _ood(ood: Mapping[str, Any]) -> list[str]:
    """Write the paragraphs about outliers."""
    return [
        "OOD detection AUROC is the probability that a random digit gets a higher confidence than a random outlier"
        f" (out-of-distribution image): {ood['digits']:,} digits against {ood['outliers_per_kind']} outliers of each"
        " kind. Look-alikes are letters and signs that resemble a digit, such as O, l, S and Z. The other columns are"
        " the share of outliers with at least this confidence.",
        tables.outlier_table(ood),
    ]
