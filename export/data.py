"""MNIST: four IDX files, checked by SHA-256, as arrays; and the split that training uses."""

import gzip
import hashlib
import http.client
import os
import urllib.request
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.errors import DataError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

SHA256 = {  # of the uncompressed bytes: mirrors differ in how they gzip them
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

VALIDATION_SIZE = 5_000
SPLIT_SEED = 28


@dataclass(frozen=True)
class Digits:
    """images: uint8 (N, 28, 28), 0 = paper; labels: int64 (N,), 0 to 9."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "Digits":
        """The digits at these places, in this order."""
        return Digits(self.images[indices], self.labels[indices])


def load_train(folder: Path | None = None) -> tuple[Digits, Digits]:
    """MNIST's training set, split once and for all into 55,000 to learn from and 5,000 to validate on."""
    digits = _load("train", folder)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(digits))
    return digits.take(order[VALIDATION_SIZE:]), digits.take(order[:VALIDATION_SIZE])


def load_test(folder: Path | None = None) -> Digits:
    """MNIST's 10,000 test images. They measure; they choose nothing."""
    return _load("t10k", folder)


def mnist_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder that MNIST_DIR names, or None: then the files are downloaded into the cache."""
    name = environ.get("MNIST_DIR", "")
    return Path(name) if name else None


def download(folder: Path, mirrors: Sequence[str] = MIRRORS) -> Path:
    """Fetch the files that `folder` lacks from the first mirror that has them; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHA256:
        packed = folder / f"{name}.gz"
        if not packed.exists():
            part = packed.with_suffix(".part")
            part.write_bytes(_fetch(packed.name, mirrors))
            part.replace(packed)  # an interrupted download leaves no half file under the real name
    return folder


def _fetch(name: str, mirrors: Sequence[str]) -> bytes:
    failures = []
    for mirror in mirrors:
        try:
            with urllib.request.urlopen(mirror + name, timeout=60) as answer:  # noqa: S310 - MIRRORS are https
                return bytes(answer.read())
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{mirror}: {error}")
    raise DataError(
        f"{name} could not be downloaded ({'; '.join(failures)}). Set MNIST_DIR to a folder that holds MNIST's four"
        " IDX files."
    )


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "digit-service" / "mnist"


def _load(part: str, folder: Path | None) -> Digits:
    folder = folder if folder is not None else download(_cache())
    images = read_idx(folder, f"{part}-images-idx3-ubyte", offset=16).reshape(-1, 28, 28)
    labels = read_idx(folder, f"{part}-labels-idx1-ubyte", offset=8)
    return Digits(images, labels.astype(np.int64))


def read_idx(folder: Path, name: str, offset: int) -> NDArray[np.uint8]:
    """The values of one IDX file, plain or gzipped, after its header of `offset` bytes: uint8 (n,)."""
    raw = _read(folder, name)
    found = hashlib.sha256(raw).hexdigest()
    if found != SHA256[name]:
        raise DataError(
            f"{folder / name} is damaged or not MNIST's: its {len(raw)} bytes have SHA-256 {found}, not"
            f" {SHA256[name]}. Delete it and fetch it again."
        )
    return np.frombuffer(raw, np.uint8, offset=offset)


def _read(folder: Path, name: str) -> bytes:
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file():
        return plain.read_bytes()
    if not packed.is_file():
        raise DataError(f"{packed} does not exist. Set MNIST_DIR to the folder that holds MNIST's four IDX files.")
    try:
        return gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{packed} is truncated or no gzip file ({error}). Delete it and fetch it again.") from error
