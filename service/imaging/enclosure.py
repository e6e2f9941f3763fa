"""Find a digit inside a circle, a box or another shape that someone has drawn around it."""

import numpy as np

from service.imaging.components import Components

MIN_CONTENT_HEIGHT = 0.35
"""Height of a digit inside a circle or a box, as a share of its height."""

MAX_CONTENT_SHIFT = 0.12
"""How far such a digit lies above or below the middle, as a share of the same height. The hole of an outlined 9 lies
farther from it."""

MIN_POSSIBLE_CONTENT_HEIGHT = 0.25
"""Height of a component inside a shape that may be a digit, as a share of the shape's height."""

MIN_CONTENT_INK = 0.03
"""Ink of a digit inside a shape, as a share of the shape's ink."""

MIN_ENCLOSED = 0.75
"""Share of each side of a digit on which the shape has ink. One that is drawn by hand may have a gap."""


def main_content(components: Components, main: int) -> int:
    """Return the content of the main component if it is a circle or a box around a digit, otherwise the main one."""
    content = find_content(components, main)
    return main if content is None or not _is_central(components, content, main) else content


def possible_digits(components: Components, index: int) -> set[int]:
    """Return the content of a component, and the component itself unless it is a circle or a box around a digit."""
    content = find_content(components, index)
    if content is None:
        return {index}
    return {content} if _is_central(components, content, index) else {index, content}


def find_content(components: Components, outer: int) -> int | None:
    """Return the component with the most ink that another one encloses. None if there is none as high as a digit."""
    if len(components) == 1:
        return None
    is_inside = components.is_within(outer)
    is_inside &= components.height >= MIN_POSSIBLE_CONTENT_HEIGHT * components.height[outer]
    is_inside &= components.ink >= MIN_CONTENT_INK * components.ink[outer]
    if not is_inside.any():
        return None
    content = int(np.where(is_inside, components.ink, -1).argmax())
    return content if _is_enclosed(components, content, outer) else None


def _is_enclosed(components: Components, inner: int, outer: int) -> bool:
    """Return whether a component has ink on all four sides of another one, but for gaps."""
    pixels = components.mask(components.only(outer))
    boxes = (components.top, components.bottom, components.left, components.right)
    top, bottom, left, right = (int(side[inner]) for side in boxes)
    rows, columns = pixels[top:bottom], pixels[:, left:right]
    sides = (rows[:, :left].any(1), rows[:, right:].any(1), columns[:top].any(0), columns[bottom:].any(0))
    return min(float(side.mean()) for side in sides) >= MIN_ENCLOSED


def _is_central(components: Components, inner: int, outer: int) -> bool:
    """Return whether a component is as high as a digit in a circle or a box, and in its middle."""
    height = components.height[outer]
    middles = [(components.top[index] + components.bottom[index]) / 2 for index in (inner, outer)]
    is_high = components.height[inner] >= MIN_CONTENT_HEIGHT * height
    return bool(is_high and abs(middles[0] - middles[1]) <= MAX_CONTENT_SHIFT * height)
