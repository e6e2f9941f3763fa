"""Pieces of a mask are found as a plain flood fill finds them."""

import numpy as np
import pytest

from service import components


def flood(mask: components.Mask) -> list[set[tuple[int, int]]]:
    """The oracle: 8-connected pieces, one pixel after the other."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    pieces = []
    while left:
        piece, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            piece.add((y, x))
            around = {(y + down, x + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= around
            edge.extend(around)
        pieces.append(piece)
    return pieces


@pytest.mark.parametrize("seed", range(30))
def test_pieces_boxes_and_sums_agree_with_a_flood_fill(seed: int) -> None:
    """Random masks of every density, also of a single row or column."""
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 40, 2)) < rng.uniform(0.05, 0.9)
    mask[rng.integers(mask.shape[0]), rng.integers(mask.shape[1])] = True
    ink = rng.integers(0, 256, mask.shape).astype(np.float32)
    found = components.find(mask, ink)
    count = len(found.ink)
    masks = [found.mask(np.arange(count) == piece) for piece in range(count)]
    ours = {frozenset((int(y), int(x)) for y, x in zip(*np.nonzero(m), strict=True)) for m in masks}
    assert ours == {frozenset(piece) for piece in flood(mask)}
    for piece, pixels in enumerate(masks):
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        box = (found.top[piece], found.bottom[piece], found.left[piece], found.right[piece])
        assert box == (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
        assert found.ink[piece] == pytest.approx(ink[pixels].sum())
        assert found.area(piece) == pixels.sum()


def test_a_spiral_is_one_piece() -> None:
    """The longest way round that labels have to wander."""
    mask = np.zeros((61, 61), bool)
    top, left, bottom, right = 0, 0, 60, 60
    while top < bottom:
        mask[top, left : right + 1] = mask[bottom, left : right + 1] = mask[top : bottom + 1, right] = True
        mask[top + 2 : bottom + 1, left] = True
        mask[top + 2, left : left + 3] = True
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    assert len(components.find(mask, mask.astype(np.float32)).ink) == len(flood(mask))
