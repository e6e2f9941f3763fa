"""Keep rendered datasets on disk, so that the next run need not render them again."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL

import export.data
import service.imaging
from export.data.dataset import Dataset


class DatasetCache:
    """A folder of datasets. A dataset that other code, or other versions of numpy or Pillow, have made is not used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = _code_version()

    def load(self, name: str, make: Callable[[], Dataset]) -> Dataset:
        """Load the dataset `name`, or make it and keep it."""
        path = self._folder / f"{name}-{self._version}.npz"
        if path.exists():
            with np.load(path) as arrays:
                return Dataset(arrays["images"], arrays["labels"])
        dataset = make()
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, images=dataset.images, labels=dataset.labels)
        part.replace(path)
        return dataset


def _code_version() -> str:
    """Return a hash of what the images depend on: the code that renders and preprocesses, and its libraries."""
    digest = hashlib.sha256(f"{np.__version__} {PIL.__version__}".encode())
    for package in (export.data, service.imaging):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
