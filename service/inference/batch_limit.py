"""The limit for what decoding one batch may cost: a few kilobytes can declare a minute of it."""

from collections.abc import Sequence

from service.errors import ImageError, RequestError
from service.imaging.decode import EncodedImage

MAX_DECODE_SECONDS = 3.0
"""Estimated seconds for all images of a batch: 64 drawings of a megapixel, or three of the costliest images."""


def limit_decoding(images: Sequence[EncodedImage | RequestError]) -> list[EncodedImage | RequestError]:
    """Replace each image that does not fit into MAX_DECODE_SECONDS by an error that tells to send it again."""
    limited: list[EncodedImage | RequestError] = []
    total = 0.0
    for image in images:
        seconds = 0.0 if isinstance(image, RequestError) else image.decode_seconds
        fits = total + seconds <= MAX_DECODE_SECONDS
        limited.append(image if fits else _too_costly())
        total += seconds if fits else 0.0
    return limited


def _too_costly() -> ImageError:
    return ImageError("it and other images of this request take too long to decode. Send it in another request.")
