"""Find the digits of a line against several backgrounds, and where those that touch may be cut apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from service.imaging.components import Components, label_components
from service.imaging.cuts import Group, cut_group
from service.imaging.frames import remove_frames
from service.imaging.grouping import MIN_HEIGHT, group_components
from service.imaging.lines import Lines, remove_bars
from service.imaging.local_ink import local_inks
from service.imaging.page import crop_page
from service.imaging.segment import MAX_CANVAS_SIDE, MIN_CONTRAST, Ink, find_strokes

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
    members = group_components(components, with_border)
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
