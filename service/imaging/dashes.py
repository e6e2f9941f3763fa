"""Join the pieces of a digit that is drawn with dashes or dots, as those that children trace."""

import numpy as np
from numpy.typing import NDArray

from service.imaging.components import Components

MAX_INK_RATIO = 5
"""Ink of one piece in those of another one."""

MIN_PIECES = 5
"""Fewer are strokes."""

MAX_PIECES = 200
"""More are texture."""

MIN_HEIGHT_RATIO = 2.0
"""Height of the digit in heights of its tallest piece. The digits of a number are as tall as their line."""


def joined_pieces(components: Components, main: int) -> NDArray[np.bool_]:
    """Select the main component and the pieces of a stroke of which it is one, bool (K,), or the main one alone.

    Each piece is near another one: the gap is at most as large as the median piece.
    """
    only_main = components.only(main)
    ink = components.ink / components.ink[main]
    is_piece = (ink >= 1 / MAX_INK_RATIO) & (ink <= MAX_INK_RATIO)
    if not MIN_PIECES <= np.count_nonzero(is_piece) <= MAX_PIECES:
        return only_main
    pieces = np.flatnonzero(is_piece)
    joined = np.zeros(len(components), bool)
    joined[pieces[_linked(_are_near(components, pieces), pieces == main)]] = True
    height = components.bottom[joined].max() - components.top[joined].min()
    is_stroke = np.count_nonzero(joined) >= MIN_PIECES and height >= MIN_HEIGHT_RATIO * components.height[joined].max()
    return joined if is_stroke else only_main


def _are_near(components: Components, pieces: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which pieces are near which, bool (N, N)."""
    size = np.maximum(components.height, components.width)[pieces]
    down, across = (
        np.maximum.outer(start[pieces], start[pieces]) - np.minimum.outer(end[pieces], end[pieces])
        for start, end in ((components.top, components.bottom), (components.left, components.right))
    )
    return np.asarray(np.maximum(down, across) <= np.median(size))


def _linked(near: NDArray[np.bool_], first: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what is linked to the first ones through pairs that are near, bool (N,)."""
    linked = first
    while (grown := np.asarray(near[linked].any(axis=0))).sum() > linked.sum():  # each is near itself
        linked = grown
    return linked
