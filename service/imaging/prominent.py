"""Take the most prominent components of ink as digits."""

from collections.abc import Iterator

from service.imaging.components import label_components
from service.imaging.enclosure import main_content
from service.imaging.local_ink import LocalInk
from service.imaging.normalize import Digit, place
from service.imaging.segment import Ink
from service.imaging.selection import digit_components, prominence

MIN_COMPONENT_SIDE = 4
"""Pixels of the longer side. A smaller component is not tried."""

MIN_COMPONENT_INK = 0.03
"""Share of the prominence of the most prominent component. One with less is not tried."""


def prominent_digits(ink: LocalInk, count: int = 1) -> Iterator[Digit]:
    """Yield digits from up to `count` of the most prominent components, each joined with those near it."""
    if not ink.mask.any():
        return
    components = label_components(ink.mask, ink.pixels)
    weight = prominence(components)
    least = MIN_COMPONENT_INK * weight.max()
    for _ in range(count):
        main = int(weight.argmax())
        side = max(components.height[main], components.width[main])
        if weight[main] <= 0 or weight[main] < least or side < MIN_COMPONENT_SIDE:
            return
        weight[main] = 0
        selected = digit_components(components, main_content(components, main))
        weight[selected] = 0
        yield place(Ink(ink.within(components.mask(selected))))
