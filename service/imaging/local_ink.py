"""Ink as what differs from its surroundings, so that shadows, glare and uneven paper leave nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from service.imaging import morphology

WINDOW_SHARES = (1 / 10, 1 / 4)
"""Side of the window that a stroke must fit into, as shares of the image's longer side: thin and thick strokes."""

MIN_WINDOW = 5
MIN_BACKGROUND = 32
"""Gray levels. Below this, ink is not divided by the background: noise would become ink."""

MIN_RELATIVE_CONTRAST = 0.05
"""Least ink of a stroke as a share of the background."""

MIN_RELATIVE_INK = 0.3
"""Least ink of a stroke as a share of the strongest ink."""

NOISE_FACTOR = 3
"""Least ink of a stroke in median inks of the image, which are noise."""

STRONG_INK = 0.65


@dataclass(frozen=True)
class LocalInk:
    """Ink and the least ink of a stroke.

    pixels: float32 (H, W), the ink as a share of the background. level: derived from the pixels if it is None.
    """

    pixels: NDArray[np.float32]
    level: float | None = None

    @cached_property
    def _levels(self) -> tuple[float, float]:
        """The median ink and the strongest ink, which may be only a few pixels."""
        ordered = np.sort(self.pixels.ravel()[:: max(1, self.pixels.size // 8_192)])
        high = float(ordered[-max(2, len(ordered) // 400) :][0])
        return float(ordered[len(ordered) // 2]), max(high, 0.5 * float(self.pixels.max()))

    @property
    def _threshold(self) -> float:
        noise, strongest = self._levels
        derived = max(MIN_RELATIVE_INK * strongest, NOISE_FACTOR * noise, 0.8 * MIN_RELATIVE_CONTRAST)
        return derived if self.level is None else self.level

    @property
    def strongest(self) -> float:
        """The strongest ink, without the few most extreme pixels."""
        return self._levels[1]

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """The pixels of strokes, bool (H, W)."""
        return self.pixels > self._threshold

    def strong(self) -> "LocalInk":
        """Keep only ink that is about as strong as the strongest: printed lines are often lighter than a pen."""
        return LocalInk(self.pixels, STRONG_INK * self.strongest)

    def keep(self, mask: NDArray[np.bool_]) -> "LocalInk":
        """Remove the strokes outside a mask, bool (H, W)."""
        return LocalInk(np.where(mask | ~self.mask, self.pixels, np.float32(0)), self._threshold)

    def within(self, digit: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the ink of some components, bool (H, W), with their soft edges: float32 (H, W)."""
        grown = morphology.dilate(digit, 3, 3) & (digit | ~self.mask)
        return np.where(grown, self.pixels, np.float32(0))


def local_inks(gray: NDArray[np.uint8], window_shares: Sequence[float] = WINDOW_SHARES) -> Iterator[LocalInk]:
    """Return dark and light ink on the local background of an image, uint8 (H, W), for windows of each size.

    The background is the image without what is smaller than the window (a morphological closing or opening), which
    keeps the edge of a shadow where it is.
    """
    for inverted in (gray, 255 - gray):
        for share in window_shares:
            window = _window(max(gray.shape) * share)
            background = morphology.close(inverted, window, window).astype(np.float32)
            share_of_background = (background - inverted) / np.maximum(background, MIN_BACKGROUND)
            ink = LocalInk(np.asarray(share_of_background, np.float32))
            if ink.strongest >= MIN_RELATIVE_CONTRAST:
                yield ink


def _window(side: float) -> int:
    """Return the next odd number of pixels."""
    return max(MIN_WINDOW, int(side) // 2 * 2 + 1)
