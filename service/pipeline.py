"""The straight line of a request: bytes -> decode -> preprocess -> classifier."""

from collections.abc import Sequence

import numpy as np

from service.classifier import Classifier, Prediction
from service.decode import decode
from service.errors import RequestError
from service.ink import Ink
from service.preprocess import preprocess


def read_digit(picture: bytes, classifier: Classifier, max_decoded_bytes: int) -> Prediction:
    """What digit a PNG or JPEG file shows. Raises ImageError where it shows none that can be read."""
    image = preprocess(decode(picture, max_decoded_bytes))
    return classifier.classify(image[np.newaxis])[0]


def read_digits(
    pictures: Sequence[bytes | RequestError], classifier: Classifier, max_decoded_bytes: int
) -> list[Prediction | RequestError]:
    """The same for several files at once, in their order; an error stands in the place of what cannot be read."""
    seen = [_see(picture, max_decoded_bytes) for picture in pictures]
    images = [image for image in seen if not isinstance(image, RequestError)]
    answers = iter(classifier.classify(np.stack(images)) if images else [])
    return [image if isinstance(image, RequestError) else next(answers) for image in seen]


def _see(picture: bytes | RequestError, max_decoded_bytes: int) -> Ink | RequestError:
    if isinstance(picture, RequestError):
        return picture
    try:
        return preprocess(decode(picture, max_decoded_bytes))
    except RequestError as error:
        return error
