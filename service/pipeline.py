"""The straight line of a request: bytes -> decode -> preprocess -> classifier."""

from service.classifier import Classifier, Prediction
from service.decode import decode
from service.preprocess import preprocess


def read_digit(picture: bytes, classifier: Classifier, max_decoded_bytes: int) -> Prediction:
    """What digit a PNG or JPEG file shows. Raises ImageError where it shows none that can be read."""
    canvas = preprocess(decode(picture, max_decoded_bytes))
    return classifier.classify(canvas[None])[0]
