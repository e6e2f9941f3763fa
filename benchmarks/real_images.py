"""Read the real images of the benchmark: those of WILD_DIR that the service reads."""

import csv
import random
from collections.abc import Mapping
from pathlib import Path

from service.errors import RequestError
from service.imaging.buffers import Buffer
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.inference.predictor import Predictor
from service.settings import Settings


def real_images(environ: Mapping[str, str]) -> list[bytes] | str:
    """Return the files that WILD_DIR/labels.csv lists and that the service reads, or why there are none.

    They are shuffled, always in the same way: a load may end anywhere, and each of its parts must cost about the same.
    """
    folder = environ.get("WILD_DIR", "")
    if not folder:
        return "WILD_DIR is not set"
    try:
        with Path(folder, "labels.csv").open(newline="") as table:
            names = [row["file"] for row in csv.DictReader(table)]
        files: list[Buffer | RequestError] = [Path(folder, name).read_bytes() for name in names]
    except (OSError, KeyError) as error:
        return f"{folder} cannot be read ({error!r})"
    return _readable(files) or f"{folder} holds no image that the service reads"


def _readable(files: list[Buffer | RequestError]) -> list[bytes]:
    """Leave out the files that the service refuses: the load generator stops at an error."""
    settings = Settings()
    classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
    results = Predictor(classifier, settings.max_decoded_bytes).predict_batch(files)
    pairs = zip(files, results, strict=True)
    read = [file for file, result in pairs if isinstance(file, bytes) and not isinstance(result, RequestError)]
    return random.Random(0).sample(read, len(read))
