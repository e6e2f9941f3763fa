"""What on a picture is the digit: ink lifted from the paper, without specks, page edges and texture."""

import numpy as np
from numpy.typing import NDArray

from service import components, paper
from service.components import Components, Mask
from service.errors import ImageError
from service.paper import Grey

Ink = NDArray[np.float32]

INK_LEVEL = 0.1
"""Share of the strongest ink below which a pixel does not count as part of the digit's outline."""

MIN_CONTRAST = 16
"""Grey levels, of 255, between paper and ink below which a picture counts as blank."""

CANVAS = 56
"""Pixels a side up to which a picture is taken for a canvas that holds the digit and nothing else."""

QUIET = 2
"""Grey levels of noise up to which paper is a drawing's or a scan's, and faint ink is ink."""

SPECK = 0.03
"""Share of the picture's longer side below which nothing is a digit."""

PAGE = 28
"""Pixels a side from which a piece may be a page that something is written on."""


def extract_ink(picture: Grey) -> Ink:
    """uint8 (H, W), any polarity, to float32 (h, w), 0 where there is no digit: of the picture or of a page on it.

    Raises ImageError where the picture holds no ink.
    """
    ink, noise = lift(picture)
    if max(picture.shape) <= CANVAS:
        return ink
    mask = ink > _threshold(ink, noise)
    if not mask.any():
        raise _blank()
    pieces = components.find(mask, ink)
    main = _main(pieces)
    if max(pieces.height[main], pieces.width[main]) < SPECK * max(picture.shape):
        raise _blank()
    if _is_page(pieces, main):
        written = _written_on(_inside(picture, pieces, main), float(ink.max()))
        if written is not None:
            return written
    digit = pieces.mask(_belongs(pieces, main))
    return np.where(digit if noise > QUIET else digit | ~mask, ink, np.float32(0))


def lift(picture: Grey) -> tuple[Ink, float]:
    """Each pixel's distance from the paper on the ink's side of it, float32 (H, W), and the paper's noise.

    Ink is darker or lighter than its paper, whichever lies further from it.
    """
    sheet = paper.estimate(picture)
    distance = picture - sheet.grey
    darkest, lightest = _extremes(distance)
    is_dark = -darkest > lightest
    ink = np.maximum(-distance if is_dark else distance, np.float32(0))
    if ink.max() < MIN_CONTRAST:
        raise _blank()
    return ink, sheet.noise


def _extremes(distance: Ink) -> tuple[float, float]:
    """How far ink reaches on either side: on a large picture as far as more than a few stray pixels do."""
    if max(distance.shape) <= CANVAS:
        return float(distance.min()), float(distance.max())
    sample = distance.ravel()[:: max(1, distance.size // 16_384)]
    rank = max(1, sample.size // 333)
    ordered = np.partition(sample, (rank - 1, sample.size - rank))
    return float(ordered[rank - 1]), float(ordered[-rank])


def _threshold(ink: Ink, noise: float) -> float:
    """What counts as a stroke: all that can be seen on quiet paper, what stands out from a noisy one."""
    if noise <= QUIET:
        return max(INK_LEVEL * float(ink.max()), 4 * noise)
    strong = ink[ink > max(4 * noise, 0.25 * float(ink.max()))]
    return max(0.3 * float(np.median(strong)) if strong.size else 0.0, 4 * noise)


def _main(pieces: Components) -> int:
    """The piece with the most ink; one that runs along or off the picture's edge is seldom the digit."""
    at_edge = _sides(pieces) > 0
    return int((pieces.ink * np.where(_is_edge(pieces), 0.02, np.where(at_edge, 0.3, 1.0))).argmax())


def _belongs(pieces: Components, main: int) -> Mask:
    """The pieces of the digit: the main one and, near it, those that are no specks."""
    down = np.maximum(pieces.top - pieces.bottom[main], pieces.top[main] - pieces.bottom)
    across = np.maximum(pieces.left - pieces.right[main], pieces.left[main] - pieces.right)
    near = np.maximum(down, across) <= 0.35 * max(pieces.height[main], pieces.width[main])
    chosen = near & (pieces.ink >= 0.04 * pieces.ink[main]) & ~_is_edge(pieces)
    chosen[main] = True
    return np.asarray(chosen)


def _is_edge(pieces: Components) -> Mask:
    """Pieces that run along the picture's edge or across its corner: a page's end, a shadow, a table."""
    height, width = pieces.shape
    sides = _sides(pieces)
    long = (pieces.height > 0.5 * height) | (pieces.width > 0.5 * width)
    return (sides > 0) & (long | (sides > 1))


def _sides(pieces: Components) -> NDArray[np.int64]:
    """How many sides of the picture each piece touches."""
    height, width = pieces.shape
    touched = (pieces.top == 0, pieces.bottom == height, pieces.left == 0, pieces.right == width)
    return np.asarray(np.sum(touched, axis=0))


def _is_page(pieces: Components, main: int) -> bool:
    """Whether a piece may be a sheet of paper on a table: large, and all but full."""
    height, width = int(pieces.height[main]), int(pieces.width[main])
    large = height * width > 0.15 * pieces.shape[0] * pieces.shape[1]
    broad = min(height, width) > max(PAGE, 0.25 * min(pieces.shape))
    return large and broad and pieces.area(main) > 0.7 * height * width


def _inside(picture: Grey, pieces: Components, main: int) -> Grey:
    """The page without its margin."""
    down, across = (max(2, int(side[main]) // 25) for side in (pieces.height, pieces.width))
    top, bottom, left, right = (int(s[main]) for s in (pieces.top, pieces.bottom, pieces.left, pieces.right))
    return picture[top + down : bottom - down, left + across : right - across]


def _written_on(page: Grey, contrast: float) -> Ink | None:
    """The ink on a page, or None where it is no page: nothing on it, or nothing that looks like strokes."""
    try:
        ink = extract_ink(page)
    except ImageError:
        return None
    strokes = float(np.mean(ink > 0.3 * ink.max()))
    return ink if ink.max() > 0.25 * contrast and strokes < 0.35 else None


def _blank() -> ImageError:
    return ImageError("no digit found. Send a picture of one digit that stands out from its background.")
