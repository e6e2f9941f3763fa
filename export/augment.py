"""Handwriting varies: a batch of canvases becomes the same digits as other hands would have written them."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

ROTATION = math.radians(15)
SCALE = 0.15
SHEAR = 0.25
SHIFT = 2.0 / 14  # two pixels, in the [-1, 1] coordinates of the grid
WARP = 2.0 / 14
WARP_POINTS = 5
THICKNESS = 0.4


def augment(canvases: Tensor, generator: torch.Generator) -> Tensor:
    """Another pen, a random affine map and a smooth random warp: float32 (N, 1, 28, 28) in [0, 1] to the same.

    The generator lives on the device of the canvases.

    The warp follows Simard et al. 2003, "Best practices for convolutional neural networks", with a coarse
    grid of random displacements, interpolated, in place of a smoothed field.
    """
    grid = F.affine_grid(_affine(len(canvases), generator), list(canvases.shape), align_corners=False)
    grid = grid + _warp(len(canvases), canvases.shape[-1], generator)
    return F.grid_sample(_pen(canvases, generator), grid, align_corners=False)


def _pen(canvases: Tensor, generator: torch.Generator) -> Tensor:
    """Strokes thinner or thicker by up to THICKNESS of a pixel on each side."""
    change = (_random(generator, len(canvases), 1, 1, 1) * 2 - 1) * THICKNESS
    thick, thin = _brightest(canvases), -_brightest(-canvases)
    return canvases + change.clamp(min=0) * (thick - canvases) + (-change).clamp(min=0) * (thin - canvases)


def _brightest(canvases: Tensor) -> Tensor:
    """The maximum of each 3 x 3 neighbourhood, one axis after the other: on a CPU several times faster than a pool."""
    for axis in (2, 3):
        padded = torch.cat([canvases.narrow(axis, 0, 1), canvases, canvases.narrow(axis, -1, 1)], dim=axis)
        before, here, after = (padded.narrow(axis, start, canvases.shape[axis]) for start in range(3))
        canvases = torch.maximum(torch.maximum(before, here), after)
    return canvases


def _affine(count: int, generator: torch.Generator) -> Tensor:
    """Rotation, scale, shear and shift, float32 (N, 2, 3)."""
    angle, width, height, shear, right, down = _random(generator, 6, count) * 2 - 1
    cos, sin = torch.cos(angle * ROTATION), torch.sin(angle * ROTATION)
    width, height, shear = 1 + width * SCALE, 1 + height * SCALE, shear * SHEAR
    top = torch.stack([cos * width, (shear * cos - sin) * height, right * SHIFT], dim=1)
    bottom = torch.stack([sin * width, (shear * sin + cos) * height, down * SHIFT], dim=1)
    return torch.stack([top, bottom], dim=1)


def _warp(count: int, side: int, generator: torch.Generator) -> Tensor:
    """Smooth displacements, float32 (N, side, side, 2), of a random strength for each image."""
    points = _random(generator, count, 2, WARP_POINTS, WARP_POINTS) * 2 - 1
    strength = _random(generator, count, 1, 1, 1) * WARP
    field = F.interpolate(points * strength, size=(side, side), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1)


def _random(generator: torch.Generator, *shape: int) -> Tensor:
    """Uniform in [0, 1), where the generator lives."""
    return torch.rand(shape, generator=generator, device=generator.device)
