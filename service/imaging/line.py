"""Find the digits of a line, from left to right, and where those that touch may be cut apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging.components import Components, label_components
from service.imaging.lines import remove_lines
from service.imaging.local_ink import LocalInk, local_inks
from service.imaging.normalize import Digit, place
from service.imaging.segment import Ink, ink_threshold, is_border_artifact, subtract_background

MAX_COMPONENTS = 48
"""Components of a line as tall as digits. More are a pattern, which would take long to group."""

LINE_WINDOWS = (1 / 8,)
"""Window of the local background, as a share of the longer side."""

MIN_HEIGHT = 0.5
"""Share of the line's height. What is lower, such as a dot or a dash, is not a digit."""

MIN_PART_HEIGHT = 0.12
MAX_PART_GAP = 0.12
"""Shares of the line's height. A stroke that is lower than a digit belongs to the digit that it overlaps or is near."""

MIN_OVERLAP = 0.4
"""Share of the narrower one's width. Components that overlap more stand one above the other in one digit."""

MIN_CUT_WIDTH = 0.8
"""Width of a digit in heights of the line. A wider one may be several that touch."""

MIN_PIECE_WIDTH, MAX_PIECE_WIDTH = 0.15, 1.3
CUTS_PER_HEIGHT, MAX_CUTS = 5, 12
MIN_PIECE_INK = 0.1
"""Widths of a piece in heights; cuts per height of width, and at most;
share of a piece's ink below which a fragment belongs to its
neighbor."""


@dataclass(frozen=True)
class Piece:
    """A digit of a group, from cut `start` to cut `end`. aspect: its width in heights of the line."""

    digit: Digit
    start: int
    end: int
    aspect: float


@dataclass(frozen=True)
class Group:
    """Ink that is one digit, or several that touch.

    strokes: how many strokes each place between two pieces cuts, with both ends, where it is 0.
    """

    strokes: list[int]
    pieces: list[Piece]


def find_line(gray: NDArray[np.uint8], with_cuts: bool = True) -> list[Group]:
    """Find the groups of a line, from left to right, in an image, uint8 (H, W), against its background."""
    try:
        pixels, noise = subtract_background(gray)
    except ImageError:
        return []
    return _groups(pixels, pixels > ink_threshold(pixels, noise), with_cuts)


def find_line_alternatives(gray: NDArray[np.uint8]) -> Iterator[list[Group]]:
    """Find the groups of a line on a local background, with and without printed lines."""
    for ink in local_inks(gray, LINE_WINDOWS):
        yield _groups(ink.pixels, ink.mask)
        for min_share in (0.15, 0.4):
            mask = remove_lines(ink.mask, min_share)
            if not np.array_equal(mask, ink.mask):
                yield _groups(LocalInk(np.where(mask, ink.pixels, np.float32(0))).pixels, mask)


def _groups(pixels: NDArray[np.float32], mask: NDArray[np.bool_], with_cuts: bool = True) -> list[Group]:
    if not mask.any():
        return []
    components = label_components(mask, pixels)
    members = _group_components(components)
    if not members:
        return []
    height = max(_extent(components.top, components.bottom, group) for group in members)
    return [_cut(_group_ink(pixels, components, group), height, with_cuts) for group in members]


def _group_components(components: Components) -> list[NDArray[np.int64]]:
    """Return the components of each digit, int64 (k,), from left to right."""
    usable = np.flatnonzero(~is_border_artifact(components))
    if not usable.size:
        return []
    main = int(usable[components.ink[usable].argmax()])
    tall = usable[components.height[usable] >= MIN_HEIGHT * components.height[main]]
    height = int(np.median(components.height[tall]))
    top, bottom = int(components.top[main]), int(components.bottom[main])
    shared = np.minimum(components.bottom, bottom) - np.maximum(components.top, top)
    in_line = shared >= 0.5 * np.minimum(components.height, bottom - top)
    tall = usable[in_line[usable] & (components.height[usable] >= MIN_HEIGHT * height)]
    if len(tall) > MAX_COMPONENTS:
        return []
    groups = _merge_overlapping(components, tall[components.left[tall].argsort()])
    small = usable[(components.height[usable] < MIN_HEIGHT * height)]
    parts = small[components.height[small] + components.width[small] >= 2 * MIN_PART_HEIGHT * height]
    for part in parts[:MAX_COMPONENTS].tolist():
        _attach(components, groups, part, height)
    return [np.array(group) for group in groups]


def _merge_overlapping(components: Components, ordered: NDArray[np.int64]) -> list[list[int]]:
    groups: list[list[int]] = []
    for index in ordered.tolist():
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


def _attach(components: Components, groups: list[list[int]], part: int, height: int) -> None:
    """Add a small component to the digit that it overlaps or touches nearly."""
    for group in groups:
        across = max(
            components.left[group].min() - components.right[part], components.left[part] - components.right[group].max()
        )
        down = max(
            components.top[group].min() - components.bottom[part], components.top[part] - components.bottom[group].max()
        )
        is_above = _overlap(components, group, part) >= MIN_OVERLAP and down <= 0.35 * height
        is_high = components.bottom[part] < components.bottom[group].max() - 0.3 * height  # a dot is low
        if is_above or (is_high and max(across, down) <= MAX_PART_GAP * height):
            group.append(part)
            return


def _extent(start: NDArray[np.int64], end: NDArray[np.int64], group: NDArray[np.int64]) -> int:
    return int(end[group].max() - start[group].min())


def _group_ink(pixels: NDArray[np.float32], components: Components, group: NDArray[np.int64]) -> Ink:
    selected = np.zeros(len(components.ink), bool)
    selected[group] = True
    top, bottom = int(components.top[group].min()), int(components.bottom[group].max())
    left, right = int(components.left[group].min()), int(components.right[group].max())
    mask = components.mask(selected)[top:bottom, left:right]
    return Ink(np.where(mask, pixels[top:bottom, left:right], np.float32(0)), top, left)


def _cut(ink: Ink, height: int, with_cuts: bool) -> Group:
    """Cut a group at the columns with the least ink, if it is wide enough for several digits."""
    width = ink.pixels.shape[1]
    cuts = [0, *_cut_columns(ink.pixels, height), width] if with_cuts and width > MIN_CUT_WIDTH * height else [0, width]
    pieces = []
    for start, left in enumerate(cuts):
        for end, right in enumerate(cuts[start + 1 :], start + 1):
            is_whole = (start, end) == (0, len(cuts) - 1)
            if is_whole or MIN_PIECE_WIDTH * height <= right - left <= MAX_PIECE_WIDTH * height:
                digit = _piece(ink, left, right)
                pieces += [Piece(digit, start, end, (right - left) / height)] if digit else []
    return Group([0, *(_count_strokes(ink.pixels[:, column]) for column in cuts[1:-1]), 0], pieces)


def _count_strokes(column: NDArray[np.float32]) -> int:
    """Count the runs of ink in a column, float32 (h,)."""
    mask = column > 0
    return int(np.count_nonzero(mask[1:] & ~mask[:-1])) + int(mask[0])


def _cut_columns(pixels: NDArray[np.float32], height: int) -> list[int]:
    """Return columns with locally least ink, at least a tenth of the height apart, in order."""
    profile = np.convolve(np.pad(pixels.sum(axis=0), 1, mode="edge"), np.ones(3) / 3, "valid")
    distance = max(1, round(0.1 * height))
    margin = max(1, round(MIN_PIECE_WIDTH * height))
    chosen: list[int] = []
    for column in profile.argsort(kind="stable").tolist():
        is_inside = margin <= column <= len(profile) - margin
        if is_inside and all(abs(column - other) >= distance for other in chosen):
            chosen.append(column)
        if len(chosen) >= min(MAX_CUTS, CUTS_PER_HEIGHT * len(profile) / height):
            break
    return sorted(chosen)


def _piece(ink: Ink, left: int, right: int) -> Digit | None:
    """Normalize a part of a group without the fragments of its neighbors. None if it holds no ink."""
    pixels = ink.pixels[:, left:right]
    mask = pixels > 0
    if not mask.any():
        return None
    if right - left < ink.pixels.shape[1]:
        components = label_components(mask, pixels)
        kept = components.ink >= min(MIN_PIECE_INK * components.ink.sum(), components.ink.max())
        pixels = np.where(components.mask(kept), pixels, np.float32(0))
    return place(Ink(pixels, ink.top, ink.left + left))
