"""What the examples looked like to the model, and what it said, when someone last looked: `python -m tests.golden`.

Two files, kept apart: a change of preprocessing shows in the canvases, a change of the model in the predictions.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from examples.draw import PICTURES
from service.classifier import Classifier
from service.contract import Contract
from service.decode import decode
from service.pipeline import read_digit
from service.preprocess import to_canvas
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).parent / "golden"
LIMIT = Settings().max_decoded_bytes


def canvases() -> NDArray[np.uint8]:
    """Every example as it is brought to 28 x 28, side by side: uint8 (28, 28 * 12), 255 = ink."""
    each = [to_canvas(decode((ROOT / "examples" / picture.name).read_bytes(), LIMIT)) for picture in PICTURES]
    return (np.hstack(each) * 255).round().astype(np.uint8)


def predictions(classifier: Classifier) -> dict[str, Any]:
    """Every example's digit and confidence."""
    answers = {}
    for picture in PICTURES:
        answer = read_digit((ROOT / "examples" / picture.name).read_bytes(), classifier, LIMIT)
        answers[picture.name] = {"digit": answer.digit, "confidence": round(answer.confidence, 4)}
    return answers


def write(folder: Path) -> None:
    """Both files."""
    folder.mkdir(exist_ok=True)
    settings = Settings()
    classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
    Image.fromarray(canvases()).save(folder / "canvases.png")
    (folder / "predictions.json").write_text(json.dumps(predictions(classifier), indent=2) + "\n")


if __name__ == "__main__":
    write(FOLDER)
