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
    runs: tuple[Ints, Ints, Ints, Ints]  # row, start, end and piece of each run of the mask
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
        _, start, end, owner = self.runs
        return int((end - start)[owner == piece].sum())

    def mask(self, chosen: Mask) -> Mask:
        """From bool (K,) to bool (H, W): the pixels of the chosen pieces."""
        row, start, end, owner = self.runs
        picked = chosen[owner]
        steps = np.zeros((self.shape[0], self.shape[1] + 1), np.int8)
        steps[row[picked], start[picked]] = 1
        steps[row[picked], end[picked]] -= 1
        return np.cumsum(steps, axis=1, dtype=np.int8)[:, :-1].astype(bool)


def find(mask: Mask, ink: Floats) -> Components:
    """The 8-connected pieces of a mask that is not empty, with the ink under them; both are (H, W)."""
    row, start, end = _runs(mask)
    owner = _join(row, start, end)
    count = int(owner.max()) + 1
    sums = np.zeros((mask.shape[0], mask.shape[1] + 1))
    np.cumsum(ink, axis=1, out=sums[:, 1:])
    return Components(
        shape=(mask.shape[0], mask.shape[1]),
        runs=(row, start, end, owner),
        ink=np.bincount(owner, sums[row, end] - sums[row, start], count).astype(np.float64),
        top=_least(owner, row, count),
        bottom=-_least(owner, -row - 1, count),
        left=_least(owner, start, count),
        right=-_least(owner, -end, count),
    )


def _runs(mask: Mask) -> tuple[Ints, Ints, Ints]:
    """Row, start and end of every unbroken run of a row, in reading order."""
    steps = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, start = np.nonzero(steps == 1)
    return row, start, np.nonzero(steps == -1)[1]


def _join(row: Ints, start: Ints, end: Ints) -> Ints:
    """The piece of each run: those that touch one of the next row, also by a corner, are one."""
    width = int(end.max()) + 2
    first = np.searchsorted(row * width + end, (row + 1) * width + start, "left")
    last = np.searchsorted(row * width + start, (row + 1) * width + end, "right")
    touching = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(row)), touching)
    below = np.arange(len(above)) + np.repeat(first - np.cumsum(touching) + touching, touching)
    owner = np.arange(len(row))
    while True:  # the lowest index wanders down and up; following it twice halves what is left
        least = np.minimum(owner[above], owner[below])
        joined = owner.copy()
        np.minimum.at(joined, above, least)
        np.minimum.at(joined, below, least)
        joined = joined[joined]
        if np.array_equal(joined, owner):
            return np.unique(owner, return_inverse=True)[1]
        owner = joined


def _least(owner: Ints, values: Ints, count: int) -> Ints:
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, owner, values)
    return least
