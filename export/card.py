"""The model card: what a model learnt from, how well it reads, and what it fails on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from export import plots
from export.checkpoint import CHECKPOINT
from export.readings import Reading
from export.run import REPORT
from service.contract import CONTRACT

CARD, NUMBERS = "README.md", "evaluation.json"

Document = Mapping[str, Any]

DATA = """\
55,000 images of MNIST's training set, as they are and put into pictures as people send them, digits drawn in the
forms that MNIST lacks (a 1 with a flag and a foot, a crossed 7, a closed 4), and letters, symbols, scribbles, shapes,
textures and noise, for which no digit is the right answer; all of it through the service's own preprocessing, then
bent, shifted and thickened anew in every epoch. The other 5,000 chose the epoch and the temperature. Neither MNIST's
test set nor any picture of people's own was learnt from."""


def write(into: Path, model: Path, sources: Mapping[str, Sequence[Reading]], results: Document) -> None:
    """Numbers, plots and card of the model in the folder `model`, into another folder or the same."""
    contract = json.loads((model / CONTRACT).read_text())
    training = _report(model, contract)
    into.mkdir(parents=True, exist_ok=True)
    served = contract["files"][contract["serves"]]["sha256"]
    (into / NUMBERS).write_text(json.dumps({"file_sha256": served, **results}, indent=2) + "\n")
    if training:
        plots.training_curve(training["history"]).savefig(into / "training.png")
    plots.reliability_diagram(sources).savefig(into / "reliability.png")
    plots.confusion_matrix(results["sources"]).savefig(into / "confusion.png")
    plots.contact_sheet([reading for readings in sources.values() for reading in readings if not reading.right]).save(
        into / "misread.png"
    )
    (into / CARD).write_text("\n\n".join(_paragraphs(contract, training, results)) + "\n")


def _report(model: Path, contract: Document) -> dict[str, Any] | None:
    """Of the run that made this very checkpoint, if it is there."""
    path = model / REPORT
    report: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return report if report.get("checkpoint_sha256") == contract["files"][CHECKPOINT]["sha256"] else None


def _paragraphs(contract: Document, training: Document | None, results: Document) -> list[str]:
    served, sources = contract["files"][contract["serves"]], results["sources"]
    return [
        f"# {contract['model']}",
        f"`{contract['serves']}` ({served['precision']}, SHA-256 `{served['sha256'][:16]}…`), as `make evaluate`"
        " found it through the service's own decoding, preprocessing and session.",
        "## Training",
        *(_training(training) if training else ["This checkpoint came without a report of its training."]),
        "## Results",
        _table(["", "n", "correct", "accuracy", "calibration error"], map(_source, sources.items())),
        *(_people(name, source) for name, source in sources.items() if source["kinds"]),
        _table(["label", *sources], ([f"{digit}", *_of_digit(sources, digit)] for digit in range(10))),
        "Calibration error is the expected one over 15 bins; it is 0 where the points lie on the diagonal.",
        "![Reliability diagram](reliability.png)",
        "![Confusion matrix](confusion.png)",
        "## What is no digit",
        *_doubt(results["not_a_digit"]),
        "## What it fails on",
        "All that it misreads or refuses, as the model saw it: the label, the answer and its confidence.",
        "![Misread](misread.png)",
    ]


def _training(report: Document) -> list[str]:
    settings, best = report["settings"], report["best"]
    minutes = sum(epoch["seconds"] for epoch in report["history"]) / 60
    found = ", ".join(
        f"{best[key]:.2%} of {key.removesuffix('_accuracy')}" for key in best if key.endswith("_accuracy")
    )
    return [
        DATA,
        f"{report['parameters']:,} parameters, {settings['epochs']} epochs of {sum(settings['epoch_size']):,} examples,"
        f" seed {settings['seed']}, {minutes:.0f} minutes on {report['device']} ({report['precision']}). Epoch"
        f" {best['epoch']} was kept: of the validation images it reads {found}. Temperature {report['temperature']:.3f}"
        " is folded into the head.",
        "![Training curve](training.png)",
    ]


def _source(item: tuple[str, Document]) -> list[str]:
    name, source = item
    counts = [f"{source['images']:,}", f"{source['correct']:,}"]
    return [name, *counts, f"{source['accuracy']:.2%}", f"{source['calibration_error']:.2%}"]


def _people(name: str, source: Document) -> str:
    kinds = (f"{kind} {share['accuracy']:.2%} ({share['images']})" for kind, share in source["kinds"].items())
    return f"Of {name}: {', '.join(kinds)}; mean over {source['writers']} writers {source['writers_mean']:.2%}."


def _of_digit(sources: Document, digit: int) -> Iterable[str]:
    shares = (source["digits"].get(str(digit)) for source in sources.values())
    return (f"{share['accuracy']:.2%} of {share['images']:,}" if share else "none" for share in shares)


def _doubt(found: Document) -> list[str]:
    return [
        f"How often one of {found['digits']:,} digits gets a higher confidence than one of"
        f" {found['images_of_each_kind']} pictures of each kind (area under the ROC curve). Look-alikes are letters and"
        " signs that are someone's digit, as O, l, S and Z.",
        _table(["", "AUROC"], ([kind, f"{area:.4f}"] for kind, area in found["auroc"].items())),
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
