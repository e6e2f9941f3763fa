"""Label the 8-connected components of a mask, from its horizontal runs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Components:
    """The components of a mask (H, W), indexed from 0 to K - 1.

    shape: (H, W). runs: start, end and label of each run, int64 (R,), in flat indices of an (H, W + 1) array.
    ink: float64 (K,), the sum of the ink under each component. top, bottom, left, right: int64 (K,), bounding boxes
    with exclusive ends.
    """

    shape: tuple[int, int]
    runs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
    ink: NDArray[np.float64]
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the components: K."""
        return len(self.ink)

    @property
    def height(self) -> NDArray[np.int64]:
        """Height of each bounding box in pixels, int64 (K,)."""
        return self.bottom - self.top

    @property
    def width(self) -> NDArray[np.int64]:
        """Width of each bounding box in pixels, int64 (K,)."""
        return self.right - self.left

    def area(self, component: int) -> int:
        """Count the pixels of one component."""
        start, end, labels = self.runs
        return int((end - start)[labels == component].sum())

    def is_within(self, outer: int) -> NDArray[np.bool_]:
        """Find the components whose bounding box lies within that of another one, bool (K,)."""
        is_between = (self.top > self.top[outer]) & (self.bottom < self.bottom[outer])
        return np.asarray(is_between & (self.left > self.left[outer]) & (self.right < self.right[outer]))

    def surrounds(self, inner: int) -> NDArray[np.bool_]:
        """Find the components whose bounding box surrounds that of another one, bool (K,)."""
        is_around = (self.top < self.top[inner]) & (self.bottom > self.bottom[inner])
        return np.asarray(is_around & (self.left < self.left[inner]) & (self.right > self.right[inner]))

    def only(self, component: int) -> NDArray[np.bool_]:
        """Select one component, bool (K,)."""
        return np.asarray(np.arange(len(self)) == component)

    def mask(self, selected: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the pixels of the selected components: bool (K,) to bool (H, W)."""
        start, end, labels = self.runs
        run_selected = selected[labels]
        height, width = self.shape
        flat = np.zeros(height * (width + 1), bool)
        flat[_run_pixels(start[run_selected], end[run_selected])] = True
        return flat.reshape(height, width + 1)[:, :-1]


def label_components(mask: NDArray[np.bool_], ink: NDArray[np.float32]) -> Components:
    """Label the 8-connected components of a mask, bool (H, W) and not empty, over ink, float32 (H, W)."""
    height, width = mask.shape
    start, end = _find_runs(mask)
    labels = _merge_runs(start, end, width + 1)
    count = int(labels.max()) + 1
    row, left, right = start // (width + 1), start % (width + 1), end % (width + 1)
    return Components(
        shape=(height, width),
        runs=(start, end, labels),
        ink=np.bincount(labels, _sum_runs(ink, start - row, end - row), count).astype(np.float64),
        top=_minimum_per_label(labels, row, count),
        bottom=-_minimum_per_label(labels, -row - 1, count),
        left=_minimum_per_label(labels, left, count),
        right=-_minimum_per_label(labels, -right, count),
    )


def _find_runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return start and end of each horizontal run in reading order. A padding column ends the runs of each row."""
    height, width = mask.shape
    padded = np.zeros(height * (width + 1) + 1, bool)
    padded[1:].reshape(height, width + 1)[:, :-1] = mask
    changes: NDArray[np.int64] = np.flatnonzero(padded[1:] != padded[:-1])
    return changes[::2], changes[1::2]


def _sum_runs(ink: NDArray[np.float32], start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float32]:
    """Sum the ink under each run, float32 (R,). Starts and ends are flat indices of the (H, W) array."""
    bounds = np.stack([start, end], axis=1).ravel()
    return np.asarray(np.add.reduceat(np.append(ink, np.float32(0)), bounds)[::2])


def _run_pixels(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the flat index of every pixel of every run."""
    length = end - start
    return np.asarray(np.arange(length.sum()) + np.repeat(start - np.cumsum(length) + length, length))


def _merge_runs(start: NDArray[np.int64], end: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the component label of each run. Runs of adjacent rows that touch, also diagonally, are joined."""
    first = np.searchsorted(end, start + width, "left")
    last = np.searchsorted(start, end + width, "right")
    touching = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(start)), touching)
    below = np.arange(len(above)) + np.repeat(first - np.cumsum(touching) + touching, touching)
    roots = _union(len(start), above, below)
    return np.asarray(np.cumsum(roots == np.arange(len(roots)))[roots] - 1)  # numbered in order of first runs


def _union(count: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lowest index of each set after joining the pairs `first` and `second`, int64 (count,).

    Each round hooks every root to a lower neighboring root and then points all indices at their roots, as in
    Shiloach and Vishkin 1982, "An O(log n) parallel connectivity algorithm". The number of rounds is logarithmic for
    any mask. Pointing at the roots takes a fixed number of steps, because to compare after each takes longer.
    """
    parent = np.arange(count)
    while len(first):
        left, right = parent[first], parent[second]
        np.minimum.at(parent, np.maximum(left, right), np.minimum(left, right))
        for _ in range(count.bit_length()):
            parent = parent[parent]
        separate = parent[first] != parent[second]
        first, second = first[separate], second[separate]
    return parent


def _minimum_per_label(labels: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    minimum = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(minimum, labels, values)
    return minimum
