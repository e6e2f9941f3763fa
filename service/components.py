"""Connected strokes: a mask's pieces, found from its runs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Components:
    """The pieces of a mask (H, W), each an index 0 to K - 1.

    ink: float64 (K,), the sum under each; top, bottom, left, right: int64 (K,), their boxes, ends excluded.
    """

    shape: tuple[int, int]
    runs: tuple[Ints, Ints, Ints]  # start, end and piece of each run, places counted along rows of W + 1
    ink: NDArray[np.float64]
    top: Ints
    bottom: Ints
    left: Ints
    right: Ints

    @property
    def height(self) -> Ints:
        """Of each box, in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> Ints:
        """Of each box, in pixels."""
        return self.right - self.left

    def area(self, piece: int) -> int:
        """Pixels of one piece."""
        start, end, owner = self.runs
        return int((end - start)[owner == piece].sum())

    def mask(self, chosen: Mask) -> Mask:
        """From bool (K,) to bool (H, W): the pixels of the chosen pieces."""
        start, end, owner = self.runs
        picked = chosen[owner]
        height, width = self.shape
        flat = np.zeros(height * (width + 1), bool)
        flat[_places(start[picked], end[picked])] = True
        return flat.reshape(height, width + 1)[:, :-1]


def find(mask: Mask, ink: Floats) -> Components:
    """The 8-connected pieces of a mask that is not empty, with the ink under them; both are (H, W)."""
    height, width = mask.shape
    start, end = _runs(mask)
    owner = _join(start, end, width + 1)
    count = int(owner.max()) + 1
    row, left, right = start // (width + 1), start % (width + 1), end % (width + 1)
    return Components(
        shape=(height, width),
        runs=(start, end, owner),
        ink=np.bincount(owner, _sums(ink, start - row, end - row), count).astype(np.float64),
        top=_least(owner, row, count),
        bottom=-_least(owner, -row - 1, count),
        left=_least(owner, left, count),
        right=-_least(owner, -right, count),
    )


def _runs(mask: Mask) -> tuple[Ints, Ints]:
    """Start and end of every unbroken run of a row, in reading order; a column without ink ends each row."""
    height, width = mask.shape
    apart = np.zeros(height * (width + 1) + 1, bool)
    apart[1:].reshape(height, width + 1)[:, :-1] = mask
    turns: Ints = np.flatnonzero(apart[1:] != apart[:-1])
    return turns[::2], turns[1::2]


def _sums(ink: Floats, start: Ints, end: Ints) -> Floats:
    """The ink under each run, whose places are counted along rows of W."""
    ends = np.stack([start, end], axis=1).ravel()
    return np.asarray(np.add.reduceat(np.append(ink, np.float32(0)), ends)[::2])


def _places(start: Ints, end: Ints) -> Ints:
    """Every place of every run."""
    length = end - start
    return np.asarray(np.arange(length.sum()) + np.repeat(start - np.cumsum(length) + length, length))


def _join(start: Ints, end: Ints, width: int) -> Ints:
    """The piece of each run: those that touch one of the next row, also by a corner, are one."""
    first = np.searchsorted(end, start + width, "left")
    last = np.searchsorted(start, end + width, "right")
    touching = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(start)), touching)
    below = np.arange(len(above)) + np.repeat(first - np.cumsum(touching) + touching, touching)
    owner = np.arange(len(start))
    while True:  # the lowest index wanders down and up; following it twice halves what is left
        least = np.minimum(owner[above], owner[below])
        joined = owner.copy()
        np.minimum.at(joined, above, least)
        np.minimum.at(joined, below, least)
        joined = joined[joined]
        if np.array_equal(joined, owner):
            return np.asarray(np.cumsum(owner == np.arange(len(owner)))[owner] - 1)  # numbered by their first runs
        owner = joined


def _least(owner: Ints, values: Ints, count: int) -> Ints:
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, owner, values)
    return least
