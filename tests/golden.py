"""The golden vectors: the model input and the prediction of each example. `python -m tests.golden` writes them.

They are kept in two files: a change of preprocessing shows in the inputs, a change of the model in the predictions.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from examples.draw import EXAMPLES
from service.imaging.decode import decode
from service.imaging.normalize import normalize_digit
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.inference.predictor import Predictor
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).parent / "golden"
MAX_DECODED_BYTES = Settings().max_decoded_bytes


def example_bytes() -> dict[str, bytes]:
    """Return the committed file of each example, by name."""
    return {example.name: (ROOT / "examples" / example.name).read_bytes() for example in EXAMPLES}


def model_inputs() -> NDArray[np.uint8]:
    """Normalize every example to 28 x 28, side by side: uint8 (28, 28 * 12), 255 = ink."""
    images = [normalize_digit(decode(image_bytes, MAX_DECODED_BYTES)) for image_bytes in example_bytes().values()]
    return (np.hstack(images) * 255).round().astype(np.uint8)


def predictions(classifier: Classifier) -> dict[str, Any]:
    """Predict the digit of every example, with its confidence."""
    predictor = Predictor(classifier, MAX_DECODED_BYTES)
    results = {name: predictor.predict(image_bytes) for name, image_bytes in example_bytes().items()}
    return {name: {"digit": p.digit, "confidence": round(p.confidence, 4)} for name, p in results.items()}


def write(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(exist_ok=True)
    settings = Settings()
    classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
    Image.fromarray(model_inputs()).save(folder / "model_inputs.png")
    (folder / "predictions.json").write_text(json.dumps(predictions(classifier), indent=2) + "\n")


if __name__ == "__main__":
    write(FOLDER)
