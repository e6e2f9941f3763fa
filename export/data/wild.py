"""Load wild images: a folder of digits that people drew and photographed, with a `labels.csv`."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.errors import DataError
from service.errors import ImageError
from service.imaging.decode import decode
from service.imaging.normalize import normalize_digit

MAX_DECODED_BYTES = 50_000_000
"""Memory for decoding one image: the default of the service's MAX_DECODED_BYTES."""


@dataclass(frozen=True)
class WildImage:
    """One row of `labels.csv`, and its image.

    label: 0 to 9. kind: how the image was made, such as photo or scan. image: the service's first reading of it,
    float32 (28, 28) in [0, 1], 1 = ink; None if there is none. image_bytes: the file.
    """

    file: str
    label: int
    writer: str
    kind: str
    image: NDArray[np.float32] | None
    image_bytes: bytes = field(repr=False)


def wild_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the folder that WILD_DIR names, or None: wild images are then left out."""
    name = environ.get("WILD_DIR", "")
    return Path(name) if name else None


def load_wild(folder: Path) -> list[WildImage]:
    """Load every image that `labels.csv` lists (columns file, label, writer, kind), preprocessed by the service.

    Raises DataError if the table or a file cannot be read, or if the table is empty, lacks a column or has an invalid
    label.
    """
    return [_load_image(folder, row) for row in _read_rows(folder / "labels.csv")]


def _read_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of the table. Raises DataError if it is unreadable, empty or lacks a column."""
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). Set WILD_DIR to the folder that holds it."
        ) from error
    if not rows:
        raise DataError(f"{path} lists no images. Set WILD_DIR to a folder with wild images, or unset it.")
    for column in ("file", "label", "writer", "kind"):
        if column not in rows[0]:
            raise DataError(f"{path} has no column {column}. Its columns must be file, label, writer and kind.")
    return rows


def _load_image(folder: Path, row: Mapping[str, str]) -> WildImage:
    """Load the image of a row. Raises DataError if its label is invalid or its file unreadable."""
    path = folder / row["file"]
    if row["label"] not in list("0123456789"):
        raise DataError(f"{path} has the label {row['label']!r} in labels.csv. It must be a digit, 0 to 9.")
    try:
        image_bytes = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}), but labels.csv lists it.") from error
    return WildImage(row["file"], int(row["label"]), row["writer"], row["kind"], _preprocess(image_bytes), image_bytes)


def _preprocess(image_bytes: bytes) -> NDArray[np.float32] | None:
    """Read an image as the service first does: float32 (28, 28) in [0, 1], or None if it is rejected."""
    try:
        return normalize_digit(decode(image_bytes, MAX_DECODED_BYTES))
    except ImageError:
        return None
