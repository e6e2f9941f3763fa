"""Augment a batch of digits: vary the stroke width, apply a random affine map and a smooth random warp, and noise."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_ROTATION = math.radians(15)
MAX_SCALE = 0.15
MAX_SHEAR = 0.25
MAX_SHIFT = 2.0 / 14  # two pixels, in the [-1, 1] coordinates of the sampling grid
MAX_WARP = 2.0 / 14
WARP_POINTS = 5
MAX_STROKE_CHANGE = 0.4
NOISE_SHARE = 0.15
MAX_NOISE = 0.35  # standard deviation
MAX_IMPULSES = 0.2  # share of the pixels


def augment(images: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Augment float32 (N, 1, 28, 28) in [0, 1], on the generator's device. Returns a new tensor of this form.

    strength: of each change, as a share of its maximum, above 0, at most 1.

    The warp follows Simard et al. 2003, "Best practices for convolutional neural networks", but interpolates a coarse
    grid of random displacements instead of smoothing a fine one.
    """
    grid = F.affine_grid(_random_affine(len(images), generator, strength), list(images.shape), align_corners=False)
    grid = grid + strength * _random_warp(len(images), images.shape[-1], generator)
    return F.grid_sample(_vary_stroke_width(images, generator, strength), grid, align_corners=False)


def add_noise(images: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise to float32 (N, 1, 28, 28) in [0, 1]: Gaussian to NOISE_SHARE of the images, impulses to as many."""
    noise = torch.randn(images.shape, generator=generator, device=generator.device)
    noisy = (images + noise * _strengths(len(images), MAX_NOISE, generator)).clamp(0, 1)
    is_hit = _random(generator, *images.shape) < _strengths(len(images), MAX_IMPULSES, generator)
    return torch.where(is_hit, (_random(generator, *images.shape) < 0.5).float(), noisy)


def _strengths(count: int, maximum: float, generator: torch.Generator) -> Tensor:
    """Return random strengths in [0, maximum], float32 (N, 1, 1, 1): 0 for all but NOISE_SHARE of the images."""
    is_noisy = _random(generator, count, 1, 1, 1) < NOISE_SHARE
    return is_noisy * _random(generator, count, 1, 1, 1) * maximum


def _vary_stroke_width(images: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Thin or thicken the strokes by up to `strength` times MAX_STROKE_CHANGE pixels on each side."""
    change = (_random(generator, len(images), 1, 1, 1) * 2 - 1) * strength * MAX_STROKE_CHANGE
    thick, thin = _dilate(images), -_dilate(-images)
    return images + change.clamp(min=0) * (thick - images) + (-change).clamp(min=0) * (thin - images)


def _dilate(images: Tensor) -> Tensor:
    """Return the maximum of each 3 x 3 neighborhood. One axis at a time is several times faster than a pool on CPUs."""
    for axis in (2, 3):
        padded = torch.cat([images.narrow(axis, 0, 1), images, images.narrow(axis, -1, 1)], dim=axis)
        before, here, after = (padded.narrow(axis, start, images.shape[axis]) for start in range(3))
        images = torch.maximum(torch.maximum(before, here), after)
    return images


def _random_affine(count: int, generator: torch.Generator, strength: float) -> Tensor:
    """Return random rotations, scales, shears and shifts as matrices, float32 (N, 2, 3)."""
    angle, width, height, shear, right, down = strength * (_random(generator, 6, count) * 2 - 1)
    cos, sin = torch.cos(angle * MAX_ROTATION), torch.sin(angle * MAX_ROTATION)
    width, height, shear = 1 + width * MAX_SCALE, 1 + height * MAX_SCALE, shear * MAX_SHEAR
    top = torch.stack([cos * width, (shear * cos - sin) * height, right * MAX_SHIFT], dim=1)
    bottom = torch.stack([sin * width, (shear * sin + cos) * height, down * MAX_SHIFT], dim=1)
    return torch.stack([top, bottom], dim=1)


def _random_warp(count: int, side: int, generator: torch.Generator) -> Tensor:
    """Return smooth displacements, float32 (N, side, side, 2), of a random strength for each image."""
    points = _random(generator, count, 2, WARP_POINTS, WARP_POINTS) * 2 - 1
    strength = _random(generator, count, 1, 1, 1) * MAX_WARP
    field = F.interpolate(points * strength, size=(side, side), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1)


def _random(generator: torch.Generator, *shape: int) -> Tensor:
    """Return uniform numbers in [0, 1) on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device)
