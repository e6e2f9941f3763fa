"""The first and the final reading of an image."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging.decode import EncodedImage
from service.imaging.edges import has_edges
from service.imaging.normalize import Digit
from service.imaging.png_writer import encode_png
from service.imaging.segment import MAX_CANVAS_SIDE
from service.inference.classifier import Prediction

MIN_SURE = 0.98
"""A first reading with less confidence is doubtful."""

MIN_SURE_ON_CANVAS = 0.9
"""The same for a small image with a clear background."""

MIN_SURE_IF_AMBIGUOUS = 0.9985
"""The same where the background is ambiguous: a wrong reading of a stripe or a grid may get 0.99."""

MIN_SETTLED = 0.95
"""From this mean confidence of its views on, an image with a clear background is not searched for alternatives. Of
5,060 mishaps of MNIST's validation digits, 58 are misread with this and with 0.98, and 60 with 0.9."""

MIN_SETTLED_ON_CANVAS = 0.5
"""The same for a small image. It holds the digit and nothing else, so that alternatives rather harm it: of 25,000 MNIST
images, they mended 16 and spoiled 12."""

Gray = NDArray[np.uint8]
"""A decoded, upright image, uint8 (H, W), 0 = black."""

Classify = Callable[[NDArray[np.float32]], list[Prediction]]
"""Classifies standardized images, float32 (N, 1, 28, 28)."""


@dataclass(frozen=True)
class Reading:
    """A digit that was read.

    digit: what the network saw, and where in the decoded image. scale: pixels of the upright image at its full size per
    pixel of the decoded one, across and down.
    """

    prediction: Prediction
    digit: Digit
    scale: tuple[float, float] = (1.0, 1.0)

    @property
    def box(self) -> list[int]:
        """Return the bounding box in the upright image at its full size: left, top, width and height in pixels."""
        left, top, width, height = self.digit.box
        across, down = self.scale
        start = [round(left * across), round(top * down)]
        end = [round((left + width) * across), round((top + height) * down)]
        return [*start, end[0] - start[0], end[1] - start[1]]

    @property
    def input_png(self) -> bytes:
        """The 28 x 28 image that the network saw, 255 = ink, as a PNG file."""
        return encode_png((self.digit.image * 255).round().astype(np.uint8))


@dataclass(frozen=True)
class FirstReading:
    """The first reading of an image. digit, prediction: None if it shows none, for the reason in `error`.

    gray: the decoded image. source: the file, parts of which can be decoded again at a higher resolution. scale: as in
    `Reading`.
    """

    gray: Gray
    source: EncodedImage
    digit: Digit | None = None
    prediction: Prediction | None = None
    error: ImageError | None = None

    @property
    def is_sure(self) -> bool:
        """Return whether the network read a digit without doubt."""
        if self.prediction is None or self.digit is None:
            return False
        if self.digit.is_ambiguous:
            return self.prediction.confidence >= MIN_SURE_IF_AMBIGUOUS
        return self.prediction.confidence >= (MIN_SURE_ON_CANVAS if self.is_canvas else MIN_SURE)

    @property
    def needs_alternatives(self) -> bool:
        """Return whether alternatives must be read: the digit may be another one, or elsewhere in the image."""
        if self.prediction is None or self.digit is None:
            return True
        if self.digit.is_ambiguous:
            return not self.is_sure
        return self.prediction.confidence < (MIN_SETTLED_ON_CANVAS if self.is_canvas else MIN_SETTLED)

    @property
    def is_canvas(self) -> bool:
        """Return whether the image is so small that it is taken for a canvas with nothing but the digit."""
        return bool(max(self.gray.shape) <= MAX_CANVAS_SIDE)

    @property
    def is_final(self) -> bool:
        """Return whether it is the result: a sure, single digit. `is_doubtful` is exact, but takes milliseconds."""
        return self.is_sure and self.digit is not None and not self.digit.may_be_several

    @cached_property
    def is_doubtful(self) -> bool:
        """Return whether to reconsider it: it is not final, or it shows no digit although the image has edges."""
        return has_edges(self.gray) if self.digit is None else not self.is_final

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the upright image at its full size per pixel of the decoded one, across and down."""
        (height, width), (full_width, full_height) = self.gray.shape, self.source.upright_size
        return full_width / width, full_height / height

    def settle(self) -> Reading:
        """Take it as the result. Raises ImageError if the image shows no digit."""
        if self.prediction is None or self.digit is None:
            raise self.error or ImageError("no digit found.")
        return Reading(self.prediction, self.digit, self.scale)

    def with_reading(self, reading: Reading) -> Reading:
        """Give a reading of the decoded image the scale of this image."""
        return replace(reading, scale=self.scale)
