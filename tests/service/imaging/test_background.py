"""The estimated background is even where the border is even, and a fitted surface where it is shaded."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.imaging.background import MAX_BACKGROUND_DISTANCE, MAX_EVEN_SPREAD, estimate_background

Y, X = np.mgrid[-1:1:200j, -1:1:240j]
SURFACES = {
    "shaded from side to side": 150 + 50 * X,
    "shaded from corner to corner": 150 + 40 * X - 30 * Y,
    "darker at its corners": 220 - 40 * (X * X + Y * Y),
    "twisted": 150 + 30 * X * Y + 20 * X,
}


def to_gray(levels: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(levels.round(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_border_of_one_gray_is_an_even_background_without_noise(level: int) -> None:
    """Take the gray of a uniform border as the background, whatever the image holds inside."""
    gray = np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8)
    gray[0], gray[-1], gray[:, 0], gray[:, -1] = level, level, level, level
    background = estimate_background(gray)
    assert (background.level.shape, float(background.level), background.noise) == ((), level, 0)


@pytest.mark.parametrize(("share", "shape"), [(0.2, ()), (0.3, (100, 100))])
def test_ink_may_cover_a_quarter_of_an_even_border(share: float, shape: tuple[int, ...]) -> None:
    """Ignore ink on less than a quarter of the border; fit a surface if there is more."""
    gray = np.full((100, 100), 200, np.uint8)
    gray[0, : round(share * 400) // 2] = gray[-1, : round(share * 400) // 2] = 200 - MAX_BACKGROUND_DISTANCE - 1
    background = estimate_background(gray)
    assert background.level.shape == shape
    assert np.median(background.level) == pytest.approx(200, abs=1)


@pytest.mark.parametrize(("spread", "shape"), [(MAX_EVEN_SPREAD, ()), (MAX_EVEN_SPREAD + 1, (60, 60))])
def test_spread_of_the_border_separates_even_from_shaded(spread: int, shape: tuple[int, ...]) -> None:
    """Count a border as even up to a median deviation of MAX_EVEN_SPREAD gray levels."""
    checkerboard = np.indices((60, 60)).sum(axis=0) % 2
    gray = to_gray(128.0 + spread * (2 * checkerboard - 1))
    assert estimate_background(gray).level.shape == shape


@pytest.mark.parametrize("name", SURFACES)
def test_shaded_background_is_recovered(name: str) -> None:
    """Recover a quadratic surface within three gray levels at its corners and within one on average."""
    level = estimate_background(to_gray(SURFACES[name])).level
    assert level.dtype == np.float32
    assert np.abs(level - SURFACES[name]).max() < 3
    assert np.abs(level - SURFACES[name]).mean() < 1


@pytest.mark.parametrize("name", SURFACES)
def test_ink_does_not_bend_a_shaded_background(name: str) -> None:
    """Fit the same surface, within half a gray level, if ink covers a tenth of the image."""
    gray = to_gray(SURFACES[name])
    without_ink = estimate_background(gray).level
    gray[60:140, 80:140] = 20
    assert np.abs(estimate_background(gray).level - without_ink).max() < 0.5


@pytest.mark.parametrize("noise", [3, 6, 12])
def test_noise_is_the_standard_deviation_of_the_texture(noise: int) -> None:
    """Estimate the standard deviation of Gaussian texture within a tenth."""
    texture = np.random.default_rng(noise).normal(0, noise, X.shape)
    background = estimate_background(to_gray(SURFACES["shaded from side to side"] + texture))
    assert background.noise == pytest.approx(noise, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (2, 2), (3, 500)])
def test_extreme_shapes_have_a_finite_background(shape: tuple[int, int]) -> None:
    """Estimate a finite background of random images that are only a few pixels high or wide."""
    background = estimate_background(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    assert np.isfinite(background.level).all()
    assert np.isfinite(background.noise)
    np.broadcast_to(background.level, shape)


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (2, 2), (1, 2)])
def test_image_of_one_row_or_column_has_a_background(shape: tuple[int, int]) -> None:
    """Fit a surface that many surfaces would fit as well: that of an image of one row, one column or four pixels."""
    gray = np.linspace(0, 255, shape[0] * shape[1]).reshape(shape).astype(np.uint8)
    background = estimate_background(gray)
    assert background.level.shape in ((), shape)
    assert np.isfinite(background.level).all()
