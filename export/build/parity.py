"""Check that an ONNX file computes the logits of its checkpoint: PyTorch against the service's own session."""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Context
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.data.dataset import split_batches
from export.errors import ParityError
from service.imaging.normalize import MEAN, STD

BATCH_SIZES = (1, 2, 3, 7, 32)
TOLERANCE = 1e-4
TORCH_BATCH_SIZE = 250


def check_parity(
    network: nn.Module,
    session_logits: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    sources: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """Compare the logits on every image of every source, float32 (N, 1, 28, 28), at every batch size.

    Returns the parity record of the contract. Raises ParityError, showing the worst image, if a logit differs by more
    than TOLERANCE or an argmax differs.
    """
    worst = 0.0
    for name, images in sources.items():
        expected = torch_logits(network, images)
        for size in BATCH_SIZES:
            actual = np.concatenate([session_logits(batch) for batch in split_batches(images, size)])
            worst = max(worst, compare_logits(f"{name} at batch size {size}", images, expected, actual))
    return {
        "worst_logit_difference": round_up(worst),
        "tolerance": TOLERANCE,
        "argmax_agreement": 1.0,  # compare_logits raises at anything less
        "images": {name: len(images) for name, images in sources.items()},
        "batch_sizes": list(BATCH_SIZES),
    }


def compare_logits(
    description: str,
    images: NDArray[np.float32],
    expected: NDArray[np.float32],
    actual: NDArray[np.float32],
) -> float:
    """Return the largest absolute difference of two logit arrays, float32 (N, 10). Raises ParityError."""
    difference = np.abs(expected - actual).max(axis=1)
    differs = expected.argmax(axis=1) != actual.argmax(axis=1)
    worst = int(np.where(differs, np.inf, difference).argmax())  # a different argmax is worse than any difference
    if differs.any() or not difference.max() <= TOLERANCE:  # written so that NaN fails too
        raise ParityError(
            f"{description}: the logits differ by up to {difference.max():.3g} (at most {TOLERANCE:g} is allowed), and"
            f" {int(differs.sum())} of {len(differs)} argmaxes differ. The worst is image {worst}:"
            f" PyTorch gives {expected[worst].round(3).tolist()}, onnxruntime {actual[worst].round(3).tolist()}."
            f" The files of the last successful export are unchanged.\n{ascii_image(images[worst])}"
        )
    return float(difference.max())


@torch.inference_mode()
def torch_logits(network: nn.Module, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute logits with PyTorch on the CPU: float32 (N, 1, 28, 28) to float32 (N, 10)."""
    batches = split_batches(images, TORCH_BATCH_SIZE)
    return np.concatenate([network(torch.from_numpy(batch)).numpy() for batch in batches])


def round_up(difference: float) -> float:
    """Round up to one significant digit. The digits after it depend on the processor, and a contract must not."""
    return float(Context(prec=1, rounding=ROUND_CEILING).create_decimal_from_float(difference))


def ascii_image(image: NDArray[np.float32]) -> str:
    """Draw an image, float32 (1, 28, 28), standardized, as 28 lines of 56 characters for a terminal."""
    ink = np.clip(image[0] * STD + MEAN, 0.0, 1.0)
    shades = np.array(list(" .:-=+*#%@"))
    return "\n".join("".join(row) for row in np.repeat(shades[(ink * 9).astype(int)], 2, axis=1))
