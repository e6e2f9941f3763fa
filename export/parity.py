"""The proof that an ONNX file answers as its checkpoint does: torch against the service's own classifier."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.errors import ParityError
from service.preprocess import MEAN, STD

Floats = NDArray[np.float32]
Logits = Callable[[Floats], Floats]

BATCH_SIZES = (1, 2, 3, 7, 32)
TOLERANCE = 1e-4


def prove(network: nn.Module, logits: Logits, sources: Mapping[str, Floats]) -> dict[str, Any]:
    """Compare the two on every image of every source at every batch size; returns the record for the contract.

    Raises ParityError, with the worst image, where a logit is off by more than TOLERANCE or an argmax differs.
    """
    worst = 0.0
    for name, images in sources.items():
        expected = torch_logits(network, images)
        for size in BATCH_SIZES:
            found = np.concatenate([logits(batch) for batch in batches(images, size)])
            worst = max(worst, compare(f"{name} at batch size {size}", images, expected, found))
    return {
        "worst_logit_difference": worst,
        "tolerance": TOLERANCE,
        "argmax_agreement": 1.0,  # anything less has raised
        "images": {name: len(images) for name, images in sources.items()},
        "batch_sizes": list(BATCH_SIZES),
    }


@torch.inference_mode()
def torch_logits(network: nn.Module, images: Floats) -> Floats:
    """float32 (N, 1, 28, 28) to float32 (N, 10), on the CPU."""
    return np.concatenate([network(torch.from_numpy(batch)).numpy() for batch in batches(images, 250)])


def batches(images: Floats, size: int) -> Iterator[Floats]:
    """Consecutive slices of at most `size` images."""
    return (images[start : start + size] for start in range(0, len(images), size))


def compare(what: str, images: Floats, expected: Floats, found: Floats) -> float:
    """The worst absolute difference of a logit."""
    difference = np.abs(expected - found).max(axis=1)
    differs = expected.argmax(axis=1) != found.argmax(axis=1)
    worst = int(np.where(differs, np.inf, difference).argmax())  # an argmax that differs is worse than any distance
    if differs.any() or not difference.max() <= TOLERANCE:  # written so that NaN fails too
        raise ParityError(
            f"{what}: the logits are off by up to {difference.max():.3g} (at most"
            f" {TOLERANCE:g}), and {int(differs.sum())} of {len(differs)} argmaxes differ. The worst is image {worst}:"
            f" torch says {expected[worst].round(3).tolist()}, onnxruntime {found[worst].round(3).tolist()}."
            f" The files of the last good export stay in place.\n{sketch(images[worst])}"
        )
    return float(difference.max())


def sketch(image: Floats) -> str:
    """float32 (1, 28, 28), standardised, as text: a picture for a terminal."""
    ink = np.clip(image[0] * STD + MEAN, 0.0, 1.0)
    shades = np.array(list(" .:-=+*#%@"))
    return "\n".join("".join(row) for row in np.repeat(shades[(ink * 9).astype(int)], 2, axis=1))
