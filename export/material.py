"""What an export is calibrated, proven and measured on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.data import Digits, load_test, load_train, mnist_folder
from export.readings import see
from export.scenes import photographed, plain
from service.decode import decode
from service.preprocess import SIDE, preprocess, standardise

Floats = NDArray[np.float32]

MNIST, PEOPLE = "mnist-test", "people"
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
RANDOM_IMAGES = 1_000
CALIBRATION_IMAGES = 1_000
CALIBRATION_SEED = 2


@dataclass(frozen=True)
class Labelled:
    """Images, float32 (N, 1, 28, 28), standardised, and their labels, int64 (N,)."""

    images: Floats
    labels: NDArray[np.int64]

    def correct(self, logits: Floats) -> int:
        """How many of them these logits, float32 (N, 10), read right."""
        return int((logits.argmax(axis=1) == self.labels).sum())


@dataclass(frozen=True)
class Material:
    """`calibration`: images to quantise with; `labelled`: to measure accuracy on; `others`: for parity alone."""

    calibration: Floats
    labelled: Mapping[str, Labelled]
    others: Mapping[str, Floats]

    @property
    def images(self) -> dict[str, Floats]:
        """All that parity is proven on."""
        return {**{name: source.images for name, source in self.labelled.items()}, **self.others}


def gather(environ: Mapping[str, str]) -> Material:
    """From MNIST, from people's own pictures where WILD_DIR has some, and from the repository."""
    mnist, wild = mnist_folder(environ), environ.get("WILD_DIR")
    labelled = {MNIST: from_mnist(load_test(mnist))}
    if wild:
        labelled[PEOPLE] = from_people(Path(wild))
    return Material(calibration(load_train(mnist)[0]), labelled, {"examples": examples(EXAMPLES), "random": noise()})


def calibration(learn: Digits, count: int = CALIBRATION_IMAGES) -> Floats:
    """Images that were learnt from, as they are and photographed."""
    few = learn.take(np.arange(count))
    return standardise(np.concatenate([plain(few)[0], photographed(few, CALIBRATION_SEED)[0]]))[0]


def from_mnist(digits: Digits) -> Labelled:
    """As the service sees them."""
    return Labelled(np.stack([preprocess(image) for image in digits.images]), digits.labels)


def from_people(folder: Path) -> Labelled:
    """Those that the service does not refuse."""
    seen = [(int(row["label"]), canvas) for row, canvas in see(folder) if canvas is not None]
    return Labelled(np.stack([standardise(canvas) for _, canvas in seen]), np.array([label for label, _ in seen]))


def examples(folder: Path) -> Floats:
    """The sample pictures of the repository, as the service sees them."""
    pictures = sorted((*folder.glob("*.png"), *folder.glob("*.jpg")))
    return np.stack([preprocess(decode(path.read_bytes(), 10**8)) for path in pictures])


def noise() -> Floats:
    """Standard normal noise, which no digit resembles: it reaches where the test images do not."""
    return np.random.default_rng(0).standard_normal((RANDOM_IMAGES, 1, SIDE, SIDE)).astype(np.float32)
