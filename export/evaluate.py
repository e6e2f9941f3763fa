"""`make evaluate`: how well the served model reads MNIST's test set and people's own pictures, and what it doubts."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from export import outliers
from export.card import write
from export.data import load_test, mnist_folder
from export.errors import ExportError
from export.metrics import auroc, measure
from export.model import ARCHITECTURES
from export.readings import Reading, doubts, read_mnist, read_pictures
from service.classifier import Classifier
from service.contract import Contract
from service.errors import ServiceError
from service.settings import WEIGHTS

MNIST, PEOPLE = "MNIST test", "people's pictures"
OUTLIER_SEED, OUTLIER_COUNT = 1_000, 500


def read(classifier: Classifier, mnist: Path | None, wild: Path | None) -> dict[str, list[Reading]]:
    """Every source that there is."""
    sources = {MNIST: read_mnist(classifier, load_test(mnist))}
    return {**sources, PEOPLE: read_pictures(classifier, wild)} if wild else sources


def not_digits(classifier: Classifier, sources: dict[str, list[Reading]], count: int = OUTLIER_COUNT) -> dict[str, Any]:
    """How far confidence tells digits from what is none: the area under the ROC curve, by kind and over all.

    The look-alikes of digits stand apart, for nobody can tell an O from a 0: `all` is without them.
    """
    digits = np.array([reading.confidence for readings in sources.values() for reading in readings])
    kinds = {
        kind: doubts(classifier, outliers.canvases([drawing], count, OUTLIER_SEED + place))
        for place, (kind, drawing) in enumerate(outliers.MEASURED.items())
    }
    others = np.concatenate([kinds[kind] for kind in kinds if kind != outliers.LOOKALIKE])
    areas = {kind: auroc(digits, confidences) for kind, confidences in kinds.items()}
    every = auroc(digits, np.concatenate(list(kinds.values())))
    return {
        "digits": len(digits),
        "images_of_each_kind": count,
        "auroc": {**areas, "all": auroc(digits, others), "all and look-alikes": every},
    }


def main() -> None:
    """Exits with one sentence where model or data cannot be used."""
    parser = argparse.ArgumentParser(prog="make evaluate", description=__doc__)
    parser.add_argument("--model", choices=ARCHITECTURES, default="cnn-transformer")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--into", type=Path, help="folder for card, numbers and plots (runs/MODEL)")
    options = parser.parse_args()
    folder, wild = options.weights / options.model, os.environ.get("WILD_DIR")
    try:
        classifier = Classifier(Contract.verify(folder))
        sources = read(classifier, mnist_folder(os.environ), Path(wild) if wild else None)
        results = {
            "sources": {name: measure(readings) for name, readings in sources.items()},
            "not_a_digit": not_digits(classifier, sources),
        }
        into = options.into or Path("runs", options.model)
        write(into, folder, sources, results)
    except (ExportError, ServiceError) as error:
        sys.exit(f"make evaluate: {error}")
    print((into / "README.md").read_text())
    print(f"Written to {into}.")


if __name__ == "__main__":
    main()
