"""Images whose ink takes long to label: combs, spirals, checkerboards. uint8 (H, W)."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

CHEAP = (320, 320)
"""The largest image that is preprocessed on the event loop."""

FULL = (639, 639)
"""The largest image that is not reduced."""


def _page(shape: tuple[int, int]) -> Gray:
    return np.full(shape, 255, np.uint8)


def comb(shape: tuple[int, int]) -> Gray:
    """Draw teeth that only the last row joins."""
    page = _page(shape)
    page[2:-2, 2:-2:2] = 0
    page[-3, 2:-2] = 0
    return page


def serpentine(shape: tuple[int, int]) -> Gray:
    """Draw one line that runs up and down the whole image."""
    page = comb(shape)
    page[-3, 4:-2:4] = 255
    page[2, 4:-2:4] = 0
    page[-3, 3:-2:4] = 0
    page[2, 5:-2:4] = 0
    page[-3, 5:-2:4] = 255
    return page


def checkerboard(shape: tuple[int, int]) -> Gray:
    """Draw every second pixel."""
    page = _page(shape)
    page[2:-2, 2:-2] = 255 * (np.indices(shape).sum(axis=0)[2:-2, 2:-2] % 2)
    return page


def dots(shape: tuple[int, int]) -> Gray:
    """Draw as many components as there can be."""
    page = _page(shape)
    page[2:-2:2, 2:-2:2] = 0
    return page


def noise(shape: tuple[int, int]) -> Gray:
    """Draw white noise, the border included: the background counts as shaded."""
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def shaded_checkerboard(shape: tuple[int, int]) -> Gray:
    """Draw a checkerboard on a shaded page, so that the background is fitted."""
    y, x = np.indices(shape)
    shade = 120 + 60 * x / shape[1] + 40 * y / shape[0]
    return np.where((x + y) % 2 == 0, shade, shade - 100).astype(np.uint8)


def spiral(shape: tuple[int, int]) -> Gray:
    """Draw a spiral of one-pixel lines."""
    page = _page(shape)
    top, left, bottom, right = 2, 2, shape[0] - 3, shape[1] - 3
    while top + 2 < bottom and left + 2 < right:
        page[top, left:right] = page[bottom, left:right] = page[top : bottom + 1, right] = 0
        page[top + 2 : bottom + 1, left] = 0
        page[top + 2, left : left + 3] = 0
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    return page


def nested_pages(shape: tuple[int, int]) -> Gray:
    """Draw pages that lie on one another, each a little brighter."""
    page = np.zeros(shape, np.uint8)
    margin = 0
    for level in range(17, 255, 17):
        side = min(shape) - 2 * margin
        margin += max(3, side // 20)
        page[margin:-margin, margin:-margin] = level
    return page


def binary_tree(shape: tuple[int, int]) -> Gray:
    """Draw teeth that are joined two by two, row after row."""
    page = comb(shape)
    page[-3] = 255
    step, row = 2, shape[0] - 4
    while step < shape[1] and row > 2:
        for left in range(2, shape[1] - 2 - step, 2 * step):
            page[row, left : left + step + 1] = 0
        step, row = 2 * step, row - 2
    return page


DRAWINGS: dict[str, Callable[[tuple[int, int]], Gray]] = {
    "comb": comb,
    "comb, upside down": lambda shape: comb(shape)[::-1],
    "comb, lying": lambda shape: comb(shape[::-1]).T,
    "serpentine": serpentine,
    "serpentine, lying": lambda shape: serpentine(shape[::-1]).T,
    "checkerboard": checkerboard,
    "dots": dots,
    "noise": noise,
    "shaded checkerboard": shaded_checkerboard,
    "spiral": spiral,
    "nested pages": nested_pages,
    "binary tree": binary_tree,
}

Draw = Callable[[], Gray]

MASKS: dict[str, Draw] = {
    **{f"{name}, cheap": partial(draw, CHEAP) for name, draw in DRAWINGS.items()},
    **{f"{name}, full": partial(draw, FULL) for name, draw in DRAWINGS.items()},
    "comb, tall": partial(comb, (20_000, 20)),
    "comb, very tall": partial(comb, (20_000, 6)),
    "comb, wide": partial(comb, (20, 20_000)),
    "checkerboard, tall": partial(checkerboard, (20_000, 20)),
    "checkerboard, wide": partial(checkerboard, (20, 20_000)),
}
