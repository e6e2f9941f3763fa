"""Cut off even rows and columns along the border of an image: margins, and stripes of any gray."""

import numpy as np
from numpy.typing import NDArray

MAX_EVEN_RANGE = 24
"""Gray levels between the lightest and the darkest pixel of an even line, without its most extreme twentieths."""

MAX_ROUNDS = 8
"""Rounds of four sides. Below a stripe another one may appear."""


def trim_border(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, int]:
    """Trim an image, uint8 (H, W), to uint8 (h, w). Returns it with its top and left. An even image leaves nothing."""
    bounds = np.array([[0, gray.shape[0]], [0, gray.shape[1]]])
    for _ in range(MAX_ROUNDS):
        before = bounds.copy()
        for axis in (0, 1):
            (top, bottom), (left, right) = bounds
            part = gray[top:bottom, left:right]
            bounds[axis] = bounds[axis, 0] + _uneven_range(part if axis == 0 else part.T)
        if np.array_equal(bounds, before):
            break
    (top, bottom), (left, right) = bounds
    return gray[top:bottom, left:right], int(top), int(left)


def _uneven_range(part: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the first row that is not even and the end of the last one, int64 (2,)."""
    if not part.size:
        return np.zeros(2, np.int64)
    ordered = np.sort(part, axis=1)
    margin = part.shape[1] // 20
    spread = ordered[:, -1 - margin].astype(np.int64) - ordered[:, margin]
    uneven = np.flatnonzero(spread >= MAX_EVEN_RANGE)
    return np.array([uneven[0], uneven[-1] + 1]) if uneven.size else np.zeros(2, np.int64)
