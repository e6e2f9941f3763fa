"""The section of the model card about training: data, settings, and own digits."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

TRAINING_PARTS = (
    "{mnist:,} of MNIST's 60,000 training images.",
    "The same images, rendered as drawings and photos.",
    "Digits of all ten classes, drawn in forms that are rare in MNIST: a 1 with a flag and a foot, a crossed 7, a"
    " closed 4.",
    "Outliers: letters, symbols, scribbles, shapes, textures and noise. Outliers get a uniform target.",
    "MNIST training images with noise, blur, lines, boxes, bars, blobs, fog, low contrast, hollow, thin or thick"
    " strokes, large turns, or the background taken for ink.",
    "Each training digit in one mishap: a thin, thick or faint pen, turned, blurred, crossed by a line, an outline,"
    " noise.",
    "Numbers of two to six digits as one image, and fragments of digits. They are outliers too.",
    "Outliers, corrupted as the digits are.",
    "Own digits, each several times per epoch.",
)
"""The parts of the training data, in the order of the epoch sizes."""

TRAINING_NOTE = """\
All images pass through the service's preprocessing. Augmentation (strokes, affine map, warp, noise) changes in each
epoch. The validation split, the other 5,000 images, selects the epoch and fits the temperature. MNIST's test set
and the wild images are not used in training. They decide whether the int8 or the fp32 file is served."""


def describe_training(report: Mapping[str, Any]) -> list[str]:
    """Write the paragraphs of the section from the report of a training run."""
    settings, best = report["settings"], report["best"]
    minutes = sum(epoch["seconds"] for epoch in report["history"]) / 60
    device = re.sub(r"\b1 threads\b", "1 thread", report["device"])  # older reports have the plural
    parts = TRAINING_PARTS[: len(settings["epoch_size"])]
    return [
        f"The training data has {len(parts)} parts:",
        "\n".join(f"- {part}" for part in parts).format(mnist=settings["examples"][0]),
        TRAINING_NOTE,
        *_start(report),
        *(_own_digits(run["own_digits"]) for run in _runs(report) if "own_digits" in run),
        f"It learned from the labels and from the answers of {_teachers(settings)}.",
        f"{report['parameters']:,} parameters; {_length(report)}; seed {settings['seed']};"
        f" {count_of(round(minutes), 'minute')} on {device} ({report['precision']}). Epoch {best['epoch']} has the"
        f" lowest validation loss and was selected. Its validation accuracy is {_accuracies(best)}. The temperature"
        f" {report['temperature']:.3f} is folded into the head.",
        "![Training curve](training.png)",
    ]


def count_of(number: int, noun: str) -> str:
    """Write a number with its noun, in the plural unless it is 1."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _runs(report: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Iterate over the runs that led to a checkpoint, the last one first."""
    yield report
    if "before" in report:
        yield from _runs(report["before"])


def _start(report: Mapping[str, Any]) -> list[str]:
    """Describe the checkpoint that the run started from, if there is one."""
    sha256 = report["settings"].get("start_sha256")
    if not sha256:
        return []
    before = report.get("before")
    training = f" ({_length(before)}, {_teachers(before['settings'])})" if before else ""
    accuracy = f", whose validation accuracy is {_accuracies(report['start'])}" if "start" in report else ""
    return [f"Training started from the checkpoint with SHA-256 `{sha256[:16]}…`{training}{accuracy}."]


def _own_digits(own: Mapping[str, Any]) -> str:
    """Describe the own digits of a run."""
    accuracy = own["validation_accuracy"]
    before = f" ({accuracy['before']:.2%} before the run)" if "before" in accuracy else ""
    return (
        f"Own digits: {own['training']:,} images were added, and {own['validation']:,} more were held out (SHA-256 of"
        f" both parts: `{own['sha256']}`). Validation accuracy on the held-out images: {accuracy['after']:.2%}{before}."
        " They also select the epoch, and the same hands may have written both parts: expect less of new writers."
    )


def _accuracies(metrics: Mapping[str, Any]) -> str:
    """Write the accuracy on each dataset."""
    names = {key: key.removesuffix("_accuracy").replace("_", " ") for key in metrics if key.endswith("_accuracy")}
    return " and ".join(f"{metrics[key]:.2%} on {name}" for key, name in names.items())


def _length(report: Mapping[str, Any]) -> str:
    """Write the number and the size of the epochs that were trained: the last ones of a run may be missing."""
    passes = report["settings"].get("passes", 1)
    repeated = f", each {passes} times" if passes > 1 else ""
    size = sum(report["settings"]["epoch_size"])
    return f"{count_of(len(report['history']), 'epoch')} of {size:,} images{repeated}"


def _teachers(settings: Mapping[str, Any]) -> str:
    """Write whose answers the network learned from."""
    others = count_of(len(settings["teacher_sha256"]), "teacher")
    if not settings.get("is_own_teacher"):
        return others
    return "the checkpoint that it started from" + (f" and {others}" if settings["teacher_sha256"] else "")
