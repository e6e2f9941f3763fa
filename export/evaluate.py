"""`make evaluate`: how well the served model reads MNIST's test set, and what it misreads."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from export.data import Digits, load_test, mnist_folder
from export.errors import ExportError
from export.model import ARCHITECTURES
from service.classifier import Classifier, Prediction
from service.contract import Contract
from service.errors import ServiceError
from service.preprocess import preprocess
from service.settings import WEIGHTS

TILE, CAPTION, COLUMNS = 84, 14, 10


def read_all(classifier: Classifier, digits: Digits) -> list[Prediction]:
    """What the service would answer for each image."""
    images = np.stack([preprocess(image) for image in digits.images])
    return [answer for batch in np.array_split(images, 100) for answer in classifier.classify(batch)]


def confusion(labels: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts, int64 (10, 10): a row for each label, a column for each answer."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, found), 1)
    return counts


def as_table(counts: NDArray[np.int64]) -> str:
    """A confusion matrix as text; a dot for zero."""
    head = "label  " + "".join(f"{digit:>6}" for digit in range(10)) + "   correct"
    rows = [
        f"{label:>5}  " + "".join(f"{count or '.':>6}" for count in row) + f"{row[label] / max(row.sum(), 1):>10.2%}"
        for label, row in enumerate(counts)
    ]
    return "\n".join([head, *rows])


def contact_sheet(digits: Digits, answers: list[Prediction]) -> Image.Image:
    """Every image large, with its label, the answer and the confidence beneath it."""
    rows = max(1, -(-len(digits) // COLUMNS))
    sheet = Image.new("L", (COLUMNS * TILE, rows * (TILE + CAPTION)), 255)
    brush = ImageDraw.Draw(sheet)
    for place, (image, label, answer) in enumerate(zip(digits.images, digits.labels, answers, strict=True)):
        x, y = place % COLUMNS * TILE, place // COLUMNS * (TILE + CAPTION)
        sheet.paste(Image.fromarray(image).resize((TILE, TILE), Image.Resampling.NEAREST), (x, y))
        brush.text((x + 2, y + TILE), f"{label} as {answer.digit}  {answer.confidence:.0%}", fill=0)
    return sheet


def evaluate(name: str, weights: Path, folder: Path, test: Digits) -> None:
    """Print accuracy and confusion matrix; draw the misread images into `folder`."""
    answers = read_all(Classifier(Contract.verify(weights / name)), test)
    found = np.array([answer.digit for answer in answers])
    wrong = np.flatnonzero(found != test.labels)
    print(f"{name} on MNIST test: {1 - len(wrong) / len(test):.2%} ({len(wrong)} of {len(test)} misread)\n")
    print(as_table(confusion(test.labels, found)))
    picture = folder / "misread.png"
    folder.mkdir(parents=True, exist_ok=True)
    contact_sheet(test.take(wrong), [answers[place] for place in wrong]).save(picture)
    print(f"\nmisread images: {picture}")


def main() -> None:
    """Exits with one sentence where model or data cannot be used."""
    parser = argparse.ArgumentParser(prog="make evaluate", description=__doc__)
    parser.add_argument("--model", choices=ARCHITECTURES, default="cnn-transformer")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    options = parser.parse_args()
    try:
        evaluate(options.model, options.weights, options.runs / options.model, load_test(mnist_folder(os.environ)))
    except (ExportError, ServiceError) as error:
        sys.exit(f"make evaluate: {error}")


if __name__ == "__main__":
    main()
