"""The limit for what one batch may cost: a few kilobytes can declare a minute of work."""

from collections.abc import Sequence

from service.errors import ImageError, RequestError
from service.imaging.decode import EncodedImage
from service.inference.reading import FirstReading

MAX_SECONDS = 3.0
"""Estimated processor seconds for all images of a batch. They suffice for 64 photos that are all doubtful, for 64
progressive photos as messengers send them, and for 64 drawings of a megapixel."""

# Estimated time to reconsider a doubtful image:
CANVAS_SECONDS = 0.01
ALTERNATIVES_SECONDS = 0.03  # of one that is larger than a canvas
LINE_SECONDS = 0.03  # in addition, of one that may show several digits
SECONDS_PER_PIXEL = 5e-8  # in addition


class BatchLimit:
    """Counts what the images of one batch cost. One that does not fit gets an error that tells to send it again."""

    def __init__(self) -> None:
        self._left = MAX_SECONDS

    def limit_decoding(self, images: Sequence[EncodedImage | RequestError]) -> list[EncodedImage | RequestError]:
        """Replace each image whose decoding does not fit by an error."""
        return [
            image if isinstance(image, RequestError) or self._fits(image.decode_seconds) else _too_costly()
            for image in images
        ]

    def check_alternatives(self, first: FirstReading) -> None:
        """Count the alternatives of a first reading. Raises ImageError if they do not fit."""
        if not self._fits(_alternatives_seconds(first)):
            raise _too_costly()

    def _fits(self, seconds: float) -> bool:
        """Return whether so much is left, and take it then."""
        fits = seconds <= self._left
        self._left -= seconds if fits else 0.0
        return fits


def _alternatives_seconds(first: FirstReading) -> float:
    seconds = CANVAS_SECONDS if first.is_canvas else ALTERNATIVES_SECONDS
    seconds += first.gray.size * SECONDS_PER_PIXEL
    if first.digit is None:
        return seconds + first.source.decode_seconds  # small digits are decoded again
    return seconds + LINE_SECONDS * first.digit.may_be_several


def _too_costly() -> ImageError:
    return ImageError("it and other images of this request take too long to read. Send it in another request.")
