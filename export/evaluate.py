"""`make evaluate`: how well the served model reads MNIST's test set and people's own pictures, and what it misreads."""

import argparse
import csv
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from export.data import Digits, load_test, mnist_folder
from export.errors import DataError, ExportError
from export.model import ARCHITECTURES
from service.classifier import Classifier, Prediction
from service.contract import Contract
from service.decode import decode
from service.errors import ImageError, ServiceError
from service.preprocess import preprocess, standardise, to_canvas
from service.settings import WEIGHTS, Settings

TILE, CAPTION, COLUMNS = 84, 14, 10
BINS = 15
LIMIT = Settings().max_decoded_bytes


@dataclass(frozen=True)
class Reading:
    """One picture: what it shows, what the service answered (None: refused), and who made it and how."""

    label: int
    answer: Prediction | None
    canvas: NDArray[np.uint8]  # (28, 28), 255 = ink: what the model saw
    writer: str = ""
    kind: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer is the label."""
        return self.answer is not None and self.answer.digit == self.label


def read_mnist(classifier: Classifier, digits: Digits) -> list[Reading]:
    """What the service would answer for each image."""
    images = np.stack([preprocess(image) for image in digits.images])
    answers = [answer for batch in np.array_split(images, 100) for answer in classifier.classify(batch)]
    rows = zip(digits.labels, answers, digits.images, strict=True)
    return [Reading(int(label), answer, image) for label, answer, image in rows]


def read_pictures(classifier: Classifier, folder: Path) -> list[Reading]:
    """The same for a folder of pictures with a `labels.csv`: file, label, writer, kind."""
    try:
        with (folder / "labels.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"{folder / 'labels.csv'} cannot be read ({error.strerror}). Set WILD_DIR.") from error
    return [_read(classifier, (folder / row["file"]).read_bytes(), row) for row in rows]


def _read(classifier: Classifier, picture: bytes, row: Mapping[str, str]) -> Reading:
    label, writer, kind = int(row["label"]), row["writer"], row["kind"]
    try:
        canvas = to_canvas(decode(picture, LIMIT))
        answer = classifier.classify(standardise(canvas)[np.newaxis])[0]
        return Reading(label, answer, (canvas * 255).astype(np.uint8), writer, kind)
    except ImageError:
        return Reading(label, None, np.zeros((28, 28), np.uint8), writer, kind)


def confusion(readings: Iterable[Reading]) -> NDArray[np.int64]:
    """Counts, int64 (10, 11): a row for each label, a column for each answer, the last for refusals."""
    counts = np.zeros((10, 11), np.int64)
    for reading in readings:
        counts[reading.label, 10 if reading.answer is None else reading.answer.digit] += 1
    return counts


def as_table(counts: NDArray[np.int64]) -> str:
    """A confusion matrix as text; a dot for zero."""
    head = "label  " + "".join(f"{digit:>6}" for digit in range(10)) + " refused   correct"
    rows = [
        f"{label:>5}  "
        + "".join(f"{count or '.':>6}" for count in row[:10])
        + f"{row[10] or '.':>8}{row[label] / max(row.sum(), 1):>10.2%}"
        for label, row in enumerate(counts)
    ]
    return "\n".join([head, *rows])


def calibration_error(readings: Iterable[Reading]) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017), of the pictures with an answer."""
    answered = [(reading.answer.confidence, reading.right) for reading in readings if reading.answer is not None]
    bins = defaultdict(list)
    for confidence, right in answered:
        bins[min(int(confidence * BINS), BINS - 1)].append(confidence - right)
    return sum(abs(sum(gaps)) for gaps in bins.values()) / len(answered)


def summary(name: str, readings: list[Reading]) -> str:
    """Accuracy of all, of each kind and over writers, and calibration."""
    lines = [f"{name}: {_share(readings)}, calibration error {calibration_error(readings):.2%}"]
    kinds = sorted({reading.kind for reading in readings} - {""})
    lines += [f"  {kind}: {_share([reading for reading in readings if reading.kind == kind])}" for kind in kinds]
    writers = defaultdict(list)
    for reading in readings:
        writers[reading.writer].append(reading.right)
    if len(writers) > 1:
        mean = np.mean([np.mean(right) for right in writers.values()])
        lines.append(f"  mean over {len(writers)} writers: {mean:.2%}")
    return "\n".join(lines)


def _share(readings: list[Reading]) -> str:
    wrong = sum(not reading.right for reading in readings)
    return f"{1 - wrong / len(readings):.2%} ({wrong} of {len(readings)} misread)"


def contact_sheet(readings: list[Reading]) -> Image.Image:
    """What the model saw of each picture, large, with label, answer and confidence beneath it."""
    rows = max(1, -(-len(readings) // COLUMNS))
    sheet = Image.new("L", (COLUMNS * TILE, rows * (TILE + CAPTION)), 255)
    brush = ImageDraw.Draw(sheet)
    for place, reading in enumerate(readings):
        x, y = place % COLUMNS * TILE, place // COLUMNS * (TILE + CAPTION)
        sheet.paste(Image.fromarray(reading.canvas).resize((TILE, TILE), Image.Resampling.NEAREST), (x, y))
        said = f"as {reading.answer.digit}  {reading.answer.confidence:.0%}" if reading.answer else "refused"
        brush.text((x + 2, y + TILE), f"{reading.label} {said}", fill=0)
    return sheet


def report(name: str, readings: list[Reading], folder: Path) -> None:
    """Print summary and confusion matrix; draw the misread pictures into `folder`."""
    picture = folder / f"misread-{name}.png"
    folder.mkdir(parents=True, exist_ok=True)
    contact_sheet([reading for reading in readings if not reading.right]).save(picture)
    print(f"{summary(name, readings)}\n\n{as_table(confusion(readings))}\n\nmisread: {picture}\n")


def main() -> None:
    """Exits with one sentence where model or data cannot be used."""
    parser = argparse.ArgumentParser(prog="make evaluate", description=__doc__)
    parser.add_argument("--model", choices=ARCHITECTURES, default="cnn-transformer")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    options = parser.parse_args()
    folder, wild = options.runs / options.model, os.environ.get("WILD_DIR")
    try:
        classifier = Classifier(Contract.verify(options.weights / options.model))
        report("mnist-test", read_mnist(classifier, load_test(mnist_folder(os.environ))), folder)
        if wild:
            report("wild", read_pictures(classifier, Path(wild)), folder)
    except (ExportError, ServiceError) as error:
        sys.exit(f"make evaluate: {error}")


if __name__ == "__main__":
    main()
