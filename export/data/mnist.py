"""Load MNIST from its four IDX files, checked by SHA-256, and split its training set."""

import gzip
import hashlib
import http.client
import os
import urllib.request
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.data.dataset import Dataset
from export.errors import DataError

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


def load_train(folder: Path | None = None) -> tuple[Dataset, Dataset]:
    """Load MNIST's training set, split into 55,000 training and 5,000 validation images. The split is fixed.

    Without a folder, the files are downloaded into a cache. Raises DataError if a file is missing or not MNIST's.
    """
    dataset = _load("train", folder)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(dataset))
    return dataset.take(order[VALIDATION_SIZE:]), dataset.take(order[:VALIDATION_SIZE])


def load_test(folder: Path | None = None) -> Dataset:
    """Load MNIST's 10,000 test images. No training depends on them; one choice does: whether int8 or fp32 is served.

    Without a folder, the files are downloaded into a cache. Raises DataError if a file is missing or not MNIST's.
    """
    return _load("t10k", folder)


def mnist_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the folder that MNIST_DIR names, or None: the files are then downloaded into a cache."""
    name = environ.get("MNIST_DIR", "")
    return Path(name) if name else None


def cache_folder(name: str) -> Path:
    """Return the folder `name` of this project's cache, in XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "digit-service" / name


def download(folder: Path, mirrors: Sequence[str] = MIRRORS) -> Path:
    """Download the missing files into `folder`, each from the first mirror that has it. Returns the folder.

    Raises DataError if no mirror has a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHA256:
        packed = folder / f"{name}.gz"
        if not packed.exists():
            part = packed.with_suffix(".part")
            part.write_bytes(_fetch(packed.name, mirrors))
            part.replace(packed)  # an interrupted download leaves no incomplete file under the real name
    return folder


def read_idx(folder: Path, name: str, offset: int) -> NDArray[np.uint8]:
    """Read the values of one IDX file, plain or gzipped, after its header of `offset` bytes: uint8 (n,).

    Raises DataError if the file is missing, damaged or not MNIST's.
    """
    raw = _read_bytes(folder, name)
    actual = hashlib.sha256(raw).hexdigest()
    if actual != SHA256[name]:
        raise DataError(
            f"{folder / name} is damaged or not MNIST's: its {len(raw)} bytes have SHA-256 {actual}, not"
            f" {SHA256[name]}. Delete it and download it again."
        )
    return np.frombuffer(raw, np.uint8, offset=offset)


def _load(split: str, folder: Path | None) -> Dataset:
    """Load the images and labels of `train` or `t10k`."""
    folder = folder if folder is not None else download(cache_folder("mnist"))
    images = read_idx(folder, f"{split}-images-idx3-ubyte", offset=16).reshape(-1, 28, 28)
    labels = read_idx(folder, f"{split}-labels-idx1-ubyte", offset=8)
    return Dataset(images, labels.astype(np.int64))


def _fetch(name: str, mirrors: Sequence[str]) -> bytes:
    """Download a file from the first mirror that has it. Raises DataError if none has."""
    failures = []
    for mirror in mirrors:
        try:
            with urllib.request.urlopen(mirror + name, timeout=60) as response:  # noqa: S310 - MIRRORS are https
                return bytes(response.read())
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{mirror}: {error}")
    raise DataError(
        f"{name} could not be downloaded ({'; '.join(failures)}). Set MNIST_DIR to a folder that holds MNIST's four"
        " IDX files."
    )


def _read_bytes(folder: Path, name: str) -> bytes:
    """Read a file, plain or gzipped. Raises DataError if it is missing or damaged."""
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file():
        return plain.read_bytes()
    if not packed.is_file():
        raise DataError(f"{packed} does not exist. Set MNIST_DIR to the folder that holds MNIST's four IDX files.")
    try:
        return gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{packed} is truncated or not a gzip file ({error}). Delete it and download it again."
        ) from error
