"""Find the digits of a line, from left to right, and where those that touch may be cut apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from service.imaging.components import Components, label_components
from service.imaging.cuts import Group, cut_group
from service.imaging.frames import remove_frames
from service.imaging.lines import Lines, remove_bars
from service.imaging.local_ink import local_inks
from service.imaging.page import crop_page
from service.imaging.segment import MAX_CANVAS_SIDE, MIN_CONTRAST, Ink, find_strokes
from service.imaging.selection import is_border_artifact

MAX_LINE_COMPONENTS = 48
"""Components of a line as tall as digits. More are a pattern, which would take long to group."""

MAX_TALL_COMPONENTS = 512
"""Components as tall as digits in the whole image. More are a pattern, too."""

LINE_WINDOWS = (1 / 8,)
"""Window of the local background, as a share of the longer side."""

LINE_SHARES = (0.15, 0.4)
"""Length of the shortest printed line that is removed, as a share of the image's side."""

MIN_SIDES = 2
"""Sides of boxes that are removed from a first reading. A single one may be a 1 that is high."""

MAX_PAGE_SHARE = 0.9
"""Share of the image. A larger page is the image itself."""

MIN_CROP_INK = 0.4
"""Share of the contrast from which a pixel of a tight crop is ink."""

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

MIN_REST_INK = 0.15
"""Ink of a component that may be a digit, as a share of the median group's."""


@dataclass(frozen=True)
class GroupedLine:
    """The groups of a line, from left to right.

    has_rest: more ink in its rows is as tall as a digit, and belongs to no group.
    """

    groups: list[Group] = field(default_factory=list)
    has_rest: bool = False


def find_lines(gray: NDArray[np.uint8], with_cuts: bool = True, origin: tuple[int, int] = (0, 0)) -> list[GroupedLine]:
    """Find the groups of a line in an image, uint8 (H, W), against its background.

    origin: top and left of the image in a larger one, in which the boxes are given.

    Returns the line without what lies along the border, then, if there is something, the line with it: in a tight crop
    it is digits, otherwise a page's edge or a shadow. Returns none if the image shows no ink.
    """
    strokes = find_strokes(gray)
    if strokes is None:
        return []
    pixels, mask = strokes[0], remove_frames(strokes[1])
    inner = _groups(pixels, remove_bars(mask, MIN_SIDES), with_cuts, origin=origin)
    if not (mask[[0, -1]].any() or mask[:, [0, -1]].any()):
        return [inner]
    return [inner, _groups(pixels, remove_bars(mask), with_cuts, with_border=True, origin=origin)]


def find_line_alternatives(gray: NDArray[np.uint8]) -> Iterator[GroupedLine]:
    """Find the groups of a line in a tight crop, on a page, and on a local background, also without printed lines."""
    yield from _tight_crops(gray)
    yield from _on_page(gray)
    for ink in local_inks(gray, LINE_WINDOWS):
        yield _groups(ink.pixels, remove_bars(ink.mask))
        lines = Lines(ink.mask)
        for remove, min_share in product((lines.remove, lines.remove_horizontal), LINE_SHARES):
            mask = remove(min_share)
            if not np.array_equal(mask, ink.mask):
                without = remove_bars(mask)
                yield _groups(np.where(without, ink.pixels, np.float32(0)), without)


def _tight_crops(gray: NDArray[np.uint8]) -> Iterator[GroupedLine]:
    """Take the darkest or the lightest gray as the background: the border of a tight crop may be mostly ink."""
    low, high = np.percentile(gray, [2, 98])
    if high - low < MIN_CONTRAST:
        return
    for ink in (gray - low, high - gray):
        pixels = np.maximum(ink, 0).astype(np.float32)
        mask = pixels > MIN_CROP_INK * (high - low)
        if mask[0].any() and mask[-1].any():
            yield _groups(pixels, remove_bars(mask), with_border=True)


def _on_page(gray: NDArray[np.uint8]) -> Iterator[GroupedLine]:
    """Look on the page alone: the table around it holds no digits."""
    page = crop_page(gray) if min(gray.shape) > MAX_CANVAS_SIDE else None
    if page and page[0].size <= MAX_PAGE_SHARE * gray.size:
        crop, top, left = page
        yield from find_lines(crop, origin=(top, left))[:1]


def _groups(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    with_cuts: bool = True,
    with_border: bool = False,
    origin: tuple[int, int] = (0, 0),
) -> GroupedLine:
    if not mask.any():
        return GroupedLine()
    components = label_components(mask, pixels)
    members = _group_components(components, with_border)
    if not members:
        return GroupedLine()
    height = max(_extent(components.top, components.bottom, group) for group in members)
    groups = [cut_group(_group_ink(pixels, components, group, origin), height, with_cuts) for group in members]
    return GroupedLine(groups, _has_rest(components, members))


def _has_rest(components: Components, members: Sequence[NDArray[np.int64]]) -> bool:
    """Return whether a component in the rows of the line is as tall as a digit and belongs to none."""
    used = np.zeros(len(components), bool)
    used[np.concatenate(members)] = True
    height = np.median([_extent(components.top, components.bottom, group) for group in members])
    top, bottom = components.top[used].min(), components.bottom[used].max()
    shared = np.minimum(components.bottom, bottom) - np.maximum(components.top, top)
    is_strong = components.ink >= MIN_REST_INK * np.median([components.ink[group].sum() for group in members])
    return bool((~used & is_strong & (shared >= MIN_HEIGHT * height)).any())


def _group_components(components: Components, with_border: bool) -> list[NDArray[np.int64]]:
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


def _extent(start: NDArray[np.int64], end: NDArray[np.int64], group: NDArray[np.int64]) -> int:
    return int(end[group].max() - start[group].min())


def _group_ink(
    pixels: NDArray[np.float32], components: Components, group: NDArray[np.int64], origin: tuple[int, int]
) -> Ink:
    selected = np.zeros(len(components), bool)
    selected[group] = True
    top, bottom = int(components.top[group].min()), int(components.bottom[group].max())
    left, right = int(components.left[group].min()), int(components.right[group].max())
    mask = components.mask(selected)[top:bottom, left:right]
    ink = np.where(mask, pixels[top:bottom, left:right], np.float32(0))
    return Ink(ink, top + origin[0], left + origin[1])
