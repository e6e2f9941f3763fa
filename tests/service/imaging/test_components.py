"""The components of a mask are those that a plain flood fill finds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.imaging.components import label_components
from tests.hostile.masks import DRAWINGS


def flood_fill(mask: NDArray[np.bool_]) -> set[frozenset[tuple[int, int]]]:
    """Find the 8-connected components pixel by pixel, as an oracle."""
    remaining = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    components = set()
    while remaining:
        component, frontier = set(), [remaining.pop()]
        while frontier:
            y, x = frontier.pop()
            component.add((y, x))
            neighbors = {(y + down, x + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & remaining
            remaining -= neighbors
            frontier.extend(neighbors)
        components.add(frozenset(component))
    return components


@pytest.mark.parametrize("seed", range(30))
def test_components_agree_with_a_flood_fill(seed: int) -> None:
    """Agree on pixels, bounding boxes, areas and ink sums for random masks of any density and shape."""
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 40, 2)) < rng.uniform(0.05, 0.9)
    mask[rng.integers(mask.shape[0]), rng.integers(mask.shape[1])] = True
    ink = rng.integers(0, 256, mask.shape).astype(np.float32)
    components = label_components(mask, ink)
    count = len(components.ink)
    masks = [components.mask(np.arange(count) == component) for component in range(count)]
    assert {frozenset((int(y), int(x)) for y, x in np.argwhere(pixels)) for pixels in masks} == flood_fill(mask)
    for component, pixels in enumerate(masks):
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        assert (components.top[component], components.bottom[component]) == (rows[0], rows[-1] + 1)
        assert (components.left[component], components.right[component]) == (columns[0], columns[-1] + 1)
        assert components.height[component] == rows[-1] + 1 - rows[0]
        assert components.width[component] == columns[-1] + 1 - columns[0]
        assert components.ink[component] == pytest.approx(ink[pixels].sum())
        assert components.area(component) == pixels.sum()


@pytest.mark.parametrize("shape", [(40, 40), (41, 30), (60, 9), (9, 60)])
@pytest.mark.parametrize("name", DRAWINGS)
def test_costly_masks_agree_with_a_flood_fill(name: str, shape: tuple[int, int]) -> None:
    """Agree on combs, spirals and checkerboards, whose runs are joined late or by many others."""
    mask = DRAWINGS[name](shape) < 128
    components = label_components(mask, mask.astype(np.float32))
    found = [components.mask(np.arange(len(components.ink)) == component) for component in range(len(components.ink))]
    assert {frozenset((int(y), int(x)) for y, x in np.argwhere(pixels)) for pixels in found} == flood_fill(mask)


@pytest.mark.parametrize(
    ("name", "shape", "count"),
    [
        ("comb", (20_000, 20), 1),
        ("comb", (20, 20_000), 1),
        ("comb", (639, 639), 1),
        ("serpentine", (639, 639), 1),
        ("serpentine, lying", (20, 20_000), 1),
        ("checkerboard", (639, 639), 1),
        ("dots", (641, 641), 319 * 319),
    ],
)
def test_large_masks_take_few_rounds(name: str, shape: tuple[int, int], count: int) -> None:
    """Label the costliest masks of the largest size. A round for each row would take minutes."""
    mask = DRAWINGS[name](shape) < 128
    assert len(label_components(mask, mask.astype(np.float32)).ink) == count


def test_mask_joins_the_selected_components() -> None:
    """Return the pixels of all selected components, and of no other."""
    mask = np.array([[1, 0, 1, 0, 1]], bool)
    components = label_components(mask, mask.astype(np.float32))
    assert components.mask(np.array([True, False, True])).tolist() == [[True, False, False, False, True]]


def test_spiral_is_one_component() -> None:
    """Merge the runs of a spiral, whose labels take the longest path."""
    mask = np.zeros((61, 61), bool)
    top, left, bottom, right = 0, 0, 60, 60
    while top < bottom:
        mask[top, left : right + 1] = mask[bottom, left : right + 1] = mask[top : bottom + 1, right] = True
        mask[top + 2 : bottom + 1, left] = True
        mask[top + 2, left : left + 3] = True
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    assert len(flood_fill(mask)) == 1
    assert len(label_components(mask, mask.astype(np.float32)).ink) == 1
