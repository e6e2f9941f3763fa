"""Estimate the background that ink lies on: an even gray, or a smoothly shaded surface."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = TypeVar("Pixels", bound=np.generic)

MAX_EVEN_SPREAD = 2
"""Gray levels. Up to this median deviation along the border, the background counts as even: drawings and scans."""

MAX_BACKGROUND_DISTANCE = 12
"""Gray levels from the border's median beyond which a border pixel is not background."""

MAX_TEXTURE = 10
"""Gray levels of noise. More is no texture of paper: an edge, such as that of a shadow, is fitted badly."""

MAX_FAR = 0.02
"""Share of the border's pixels that may be no background. If more are, the background is ambiguous."""

MIN_SAMPLES_PER_SIDE = 48
"""A shaded background is fitted to a subsample: illumination changes slowly."""

MAX_ITERATIONS = 6

RIDGE = 1e-6
"""Added to the diagonal of the normal equations, in pixels: an image of one row or column has no unique fit."""


@dataclass(frozen=True)
class Background:
    """The estimated gray level of the background, and the noise around it.

    level: float32 () if even, or (H, W) if shaded, 0 to 255. noise: standard deviation of its texture in gray levels.
    is_ambiguous: much of the image's border differs from it: an edge, a printed line or the digit itself.
    """

    level: NDArray[np.float32]
    noise: float
    is_ambiguous: bool = False


def estimate_background(gray: NDArray[np.uint8]) -> Background:
    """Estimate the background of an image, uint8 (H, W).

    If most of the border has one gray, that is the background. Otherwise a quadratic surface is fitted.
    """
    border = _border_pixels(gray)
    if (border == border[0]).all():  # nearly all drawings on a screen, and the cheapest to check
        return Background(np.float32(border[0]), 0.0)  # type: ignore[arg-type]  # a scalar broadcasts
    values = border.astype(np.float32)
    level = _median(values)
    distance = np.abs(values - level)
    spread = float(_median(distance))
    far = np.count_nonzero(distance > MAX_BACKGROUND_DISTANCE)
    if spread <= MAX_EVEN_SPREAD and far < 0.25 * values.size:
        return Background(level, 1.5 * spread, far > MAX_FAR * values.size)  # type: ignore[arg-type]  # broadcasts
    return _fit_quadratic(gray)


def _median(values: NDArray[np.float32]) -> np.float32:
    """Return the median of a few hundred values. `np.median` takes ten times as long, most of it overhead."""
    ordered = np.sort(values)
    return np.float32((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)


def _border_pixels(gray: NDArray[Pixels]) -> NDArray[Pixels]:
    """Return the outermost pixels: (H, W) to (2 H + 2 W,)."""
    return np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])


def _fit_quadratic(gray: NDArray[np.uint8]) -> Background:
    """Fit a quadratic surface by trimmed least squares, starting from the pixels near the median."""
    down, across = (max(1, side // MIN_SAMPLES_PER_SIDE) for side in gray.shape)
    sample = gray[down // 2 :: down, across // 2 :: across].astype(np.float32)
    design, values = _design_matrix(*sample.shape), sample.ravel()
    distance = np.abs(values - _median(values))
    inliers = distance <= max(3.75 * float(_median(distance)), 8)
    for _ in range(MAX_ITERATIONS):
        coefficients = _least_squares(design, values, inliers)
        distance = np.abs(values - coefficients @ design)
        noise = 1.4826 * float(_median(distance[inliers]))
        previous, inliers = inliers, distance <= max(2.5 * noise, 3)
        if np.array_equal(previous, inliers):
            break
    level = _surface(coefficients, *gray.shape)
    difference = np.abs(_border_pixels(gray) - _border_pixels(level))
    far = np.count_nonzero(difference > max(MAX_BACKGROUND_DISTANCE, 4 * noise))
    return Background(level, noise, noise > MAX_TEXTURE or far > MAX_FAR * difference.size)


def _least_squares(
    design: NDArray[np.float64], values: NDArray[np.float32], inliers: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Fit float64 (6, n) to values (n,), where `inliers` is set. Returns float64 (6,).

    The normal equations suffice for terms in [-1, 1], and take a tenth of the time of a decomposition of all pixels.
    """
    weighted = design * inliers
    normal = weighted @ design.T + RIDGE * np.eye(len(design))
    return np.asarray(np.linalg.solve(normal, weighted @ values))


def _design_matrix(height: int, width: int) -> NDArray[np.float64]:
    """Return 1, y, x, y², x² and xy for each pixel, float64 (6, H * W), with y and x in [-1, 1]."""
    y, x = _axis(height)[:, np.newaxis], _axis(width)[np.newaxis]
    return np.stack(np.broadcast_arrays(1.0, y, x, y * y, x * x, x * y)).reshape(6, -1)


def _surface(coefficients: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
    """Return the sum of the six terms for each pixel, float32 (H, W): a product of what depends on y and on x."""
    one, down, across, down_squared, across_squared, both = coefficients
    y, x = _axis(height), _axis(width)
    rows = np.stack([one + down * y + down_squared * y * y, np.ones_like(y), both * y], axis=1)
    columns = np.stack([np.ones_like(x), across * x + across_squared * x * x, x])
    return rows.astype(np.float32) @ columns.astype(np.float32)


def _axis(size: int) -> NDArray[np.float64]:
    return np.linspace(-1, 1, size)
