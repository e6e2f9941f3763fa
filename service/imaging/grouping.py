"""Group the components of a line into digits, from left to right."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.imaging.components import Components
from service.imaging.selection import is_border_artifact

MAX_LINE_COMPONENTS = 48
"""Components of a line as tall as digits. More are a pattern, which would take long to group."""

MAX_TALL_COMPONENTS = 512
"""Components as tall as digits in the whole image. More are a pattern, too."""

MIN_HEIGHT = 0.5
"""Share of the line's height. What is lower, such as a dot or a dash, is not a digit."""

MIN_PART_HEIGHT = 0.12
"""Mean side of a stroke that is part of the digit near it, as a share of the line's height. Less is a speck."""

MAX_PART_GAP = 0.12
"""Share of the line's height between such a stroke and its digit."""

MIN_OVERLAP = 0.4
"""Share of the narrower one's width. Components that overlap more stand one above the other in one digit."""

MIN_SHARED_ROWS = 0.5
"""Share of the lower one's rows. Components that share as many are neighbors in a line, which may slope."""


def group_components(components: Components, with_border: bool) -> list[NDArray[np.int64]]:
    """Return the components of each digit, int64 (k,), from left to right. with_border: keep border artifacts."""
    usable = np.flatnonzero(with_border | ~is_border_artifact(components))
    if not usable.size:
        return []
    heights = components.height[usable]
    main_height = heights[components.ink[usable].argmax()]
    height = int(np.median(heights[heights >= MIN_HEIGHT * main_height]))
    tall = usable[heights >= MIN_HEIGHT * height]
    line = _follow_line(components, tall) if len(tall) <= MAX_TALL_COMPONENTS else []
    if not 0 < len(line) <= MAX_LINE_COMPONENTS:
        return []
    groups = _merge_overlapping(components, line)
    small = usable[heights < MIN_HEIGHT * height]
    parts = small[components.height[small] + components.width[small] >= 2 * MIN_PART_HEIGHT * height]
    _attach(components, groups, parts[:MAX_LINE_COMPONENTS].tolist(), height)
    return [np.array(group) for group in groups]


def _follow_line(components: Components, tall: NDArray[np.int64]) -> list[int]:
    """Return the components of a line, from left to right: those that share rows with the last, or with the main one.

    tall: components as tall as digits, int64 (k,), k > 0. The one with the most ink is the main one.
    """
    ordered = tall[components.left[tall].argsort(kind="stable")]
    start = int(components.ink[ordered].argmax())
    rows = [(int(components.top[index]), int(components.bottom[index])) for index in ordered]
    kept = [start]
    for side in (range(start + 1, len(ordered)), range(start - 1, -1, -1)):
        last = start
        for index in side:
            if _share_rows(rows[index], rows[last]) or _share_rows(rows[index], rows[start]):
                kept.append(index)
                last = index
    return [int(ordered[index]) for index in sorted(kept)]


def _share_rows(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Return whether two components, each given by top and bottom, stand beside each other."""
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return shared >= MIN_SHARED_ROWS * min(first[1] - first[0], second[1] - second[0])


def _merge_overlapping(components: Components, ordered: Sequence[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for index in ordered:
        if groups and _overlap(components, groups[-1], index) >= MIN_OVERLAP:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _overlap(components: Components, group: list[int], index: int) -> float:
    """Return the horizontal overlap of a group and a component as a share of the narrower one's width."""
    left, right = components.left[group].min(), components.right[group].max()
    shared = min(right, components.right[index]) - max(left, components.left[index])
    return float(shared / min(right - left, components.width[index]))


def _attach(components: Components, groups: list[list[int]], parts: Sequence[int], height: int) -> None:
    """Add each small component to the first digit that it overlaps or touches nearly."""
    if not groups:
        return
    low = np.array([components.left, components.top])
    high = np.array([components.right, components.bottom])
    start = np.stack([low[:, group].min(axis=1) for group in groups], axis=1)  # left and top, int64 (2, G)
    end = np.stack([high[:, group].max(axis=1) for group in groups], axis=1)  # right and bottom
    for part in parts:
        first, last = low[:, part, np.newaxis], high[:, part, np.newaxis]
        across, down = np.maximum(start - last, first - end)
        shared = np.minimum(end, last)[0] - np.maximum(start, first)[0]
        overlap = shared / np.minimum(end - start, last - first)[0]
        is_above = (overlap >= MIN_OVERLAP) & (down <= 0.35 * height)
        is_high = last[1] < end[1] - 0.3 * height  # a dot is low
        belongs = is_above | (is_high & (np.maximum(across, down) <= MAX_PART_GAP * height))
        if belongs.any():
            index = int(belongs.argmax())
            groups[index].append(part)
            start[:, index] = np.minimum(start[:, index], low[:, part])
            end[:, index] = np.maximum(end[:, index], high[:, part])
