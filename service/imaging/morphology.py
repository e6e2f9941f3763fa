"""Grayscale morphology with square windows, and a median of nine: array -> array, without loops over pixels."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = TypeVar("Pixels", bound=np.generic)
Extremum = Callable[..., NDArray[Pixels]]


def dilate(image: NDArray[Pixels], height: int, width: int) -> NDArray[Pixels]:
    """Return the maximum in a window of odd height and width around each pixel: (H, W) to (H, W)."""
    return _filter(image, height, width, np.maximum)


def erode(image: NDArray[Pixels], height: int, width: int) -> NDArray[Pixels]:
    """Return the minimum in a window of odd height and width around each pixel: (H, W) to (H, W)."""
    return _filter(image, height, width, np.minimum)


def close(image: NDArray[Pixels], height: int, width: int) -> NDArray[Pixels]:
    """Fill what is dark and smaller than the window. Edges of larger areas stay where they are."""
    return erode(dilate(image, height, width), height, width)


def open(image: NDArray[Pixels], height: int, width: int) -> NDArray[Pixels]:  # noqa: A001 - the field's term
    """Remove what is bright and smaller than the window. Edges of larger areas stay where they are."""
    return dilate(erode(image, height, width), height, width)


def median(image: NDArray[Pixels]) -> NDArray[Pixels]:
    """Return the median of the 3 x 3 pixels around each one: (H, W) to (H, W)."""
    padded = _extend_edges(image, 1, 1)
    top, middle, bottom = padded[:-2], padded[1:-1], padded[2:]
    low, mid, high = _sort(top, middle, bottom)  # of each column of three
    lowest = np.maximum(np.maximum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
    center = _sort(mid[:, :-2], mid[:, 1:-1], mid[:, 2:])[1]
    highest = np.minimum(np.minimum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    return _sort(lowest, center, highest)[1]


def _sort(
    a: NDArray[Pixels], b: NDArray[Pixels], c: NDArray[Pixels]
) -> tuple[NDArray[Pixels], NDArray[Pixels], NDArray[Pixels]]:
    """Sort three arrays at each pixel: lowest, middle, highest."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.minimum(low, c), np.maximum(low, np.minimum(high, c)), np.maximum(high, c)


def _filter(image: NDArray[Pixels], height: int, width: int, extremum: Extremum[Pixels]) -> NDArray[Pixels]:
    rows, columns = (min(window // 2, side) for window, side in zip((height, width), image.shape, strict=True))
    height, width = 2 * rows + 1, 2 * columns + 1  # a larger window holds nothing more
    padded = _extend_edges(image, rows, columns)
    return _running(_running(padded, height, extremum).T, width, extremum).T


def _running(image: NDArray[Pixels], window: int, extremum: Extremum[Pixels]) -> NDArray[Pixels]:
    """Return the extremum of `window` consecutive rows, (H, W) to (H - window + 1, W), in log2(window) steps."""
    span = 1
    while span < window:
        step = min(span, window - span)
        image = extremum(image[:-step], image[step:])
        span += step
    return image


def _extend_edges(image: NDArray[Pixels], rows: int, columns: int) -> NDArray[Pixels]:
    """Repeat the outermost pixels: (H, W) to (H + 2 rows, W + 2 columns). `np.pad` takes ten times as long."""
    height, width = image.shape
    padded = np.empty((height + 2 * rows, width + 2 * columns), image.dtype)
    middle = padded[rows : rows + height]
    middle[:, columns : columns + width] = image
    middle[:, :columns], middle[:, columns + width :] = image[:, :1], image[:, -1:]
    padded[:rows], padded[rows + height :] = middle[0], middle[-1]
    return padded
