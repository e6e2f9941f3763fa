"""Load a user's own digits: a folder of labeled images, preprocessed by the service and split for training."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from export.data.dataset import Dataset
from export.data.own_labels import TABLE, LabelRow, read_rows
from export.data.wild import MAX_DECODED_BYTES
from export.errors import DataError
from service.errors import ImageError
from service.imaging.decode import decode
from service.imaging.normalize import find_digit

HELD_OUT_SHARE = 0.2
"""Share of the images that are held out for validation."""

MAX_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class OwnDigit:
    """One labeled image file. digit: 0 to 9. sha256: of the file. image: float32 (28, 28) in [0, 1], 1 = ink."""

    path: Path
    row: LabelRow
    digit: int
    sha256: str
    image: NDArray[np.float32]

    @property
    def is_held_out(self) -> bool:
        """Return whether the image is for validation.

        It depends on nothing but the content of the file, so a folder that grows keeps its split, and copies of a file
        are on the same side.
        """
        return int(self.sha256[:8], 16) < HELD_OUT_SHARE * 2**32


@dataclass(frozen=True)
class OwnDigits:
    """A user's own digits, sorted by content: neither the names of the files nor the order of the table matter."""

    digits: Sequence[OwnDigit]

    @property
    def held_out(self) -> list[OwnDigit]:
        """Return the digits for validation."""
        return [digit for digit in self.digits if digit.is_held_out]

    @property
    def training(self) -> Dataset:
        """Return the images for training, as the network sees them when they are served."""
        return _dataset([digit for digit in self.digits if not digit.is_held_out])

    @property
    def validation(self) -> Dataset:
        """Return the held-out images, as the network sees them when they are served."""
        return _dataset(self.held_out)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the sorted lines "SHA-256 of the file,digit", each with a line feed."""
        lines = (f"{digit.sha256},{digit.digit}\n" for digit in self.digits)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def load_own_digits(folder: Path) -> OwnDigits:
    """Load every image that `labels.csv` lists (columns file and digit), PNG or JPEG of any size.

    Raises DataError, which names the lines, if the table or an image cannot be used, or if one side of the split would
    be empty.
    """
    own = OwnDigits(sorted(_load_digits(folder), key=lambda digit: (digit.sha256, digit.digit)))
    for count, use in ((len(own.digits) - len(own.held_out), "training"), (len(own.held_out), "validation")):
        if not count:
            raise DataError(
                f"None of the {len(own.digits)} images in {folder} falls to {use}: by their content, about one in"
                f" {1 / HELD_OUT_SHARE:.0f} is held out for validation. Add images, to 100 or more."
            )
    return own


def _load_digits(folder: Path) -> list[OwnDigit]:
    """Load all rows. Raises one DataError for all lines that cannot be used."""
    rows, digits, problems = read_rows(folder), [], []
    seen = _SeenRows()
    for row in tqdm(rows, "Reading own digits", unit="image", leave=False):
        try:
            digit = _load_digit(folder, row)
            seen.add(digit)
            digits.append(digit)
        except DataError as error:
            problems.append(f"line {row.line}: {error}")
    if problems:
        raise DataError(_list_problems(folder / TABLE, problems, len(rows)))
    return digits


def _load_digit(folder: Path, row: LabelRow) -> OwnDigit:
    """Load one row. Raises DataError, without the line, if it cannot be used."""
    if not row.file:
        raise DataError("no file is named. Complete the line, or delete it.")
    if row.digit not in list("0123456789"):
        raise DataError(f"{row.file} has the digit {row.digit!r}. Write 0 to 9.")
    path = folder / row.file
    try:
        image_bytes = path.read_bytes()
        image = find_digit(decode(image_bytes, MAX_DECODED_BYTES)).image
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Put it there, or delete the line.") from error
    except ImageError as error:
        raise DataError(f"{row.file}: {error.args[0]} Replace the file, or delete the line.") from error
    return OwnDigit(path, row, int(row.digit), hashlib.sha256(image_bytes).hexdigest(), image)


class _SeenRows:
    """The rows so far, by file and by content."""

    def __init__(self) -> None:
        self._files: dict[Path, OwnDigit] = {}
        self._contents: dict[str, OwnDigit] = {}

    def add(self, digit: OwnDigit) -> None:
        """Add a row. Raises DataError if it repeats a file, or contradicts the digit of the same image."""
        earlier = self._files.setdefault(Path(digit.row.file), digit)
        if earlier is not digit:
            raise DataError(f"{digit.row.file} is listed in line {earlier.row.line}, too. Delete one of the lines.")
        same = self._contents.setdefault(digit.sha256, digit)
        if same.digit != digit.digit:
            raise DataError(
                f"{digit.row.file} is labeled {digit.digit}, but the same image in line {same.row.line},"
                f" {same.row.file}, is labeled {same.digit}. Delete the wrong line."
            )


def _list_problems(table: Path, problems: Sequence[str], count: int) -> str:
    """List problems of the table, which has `count` rows."""
    if len(problems) == 1:
        return f"{table}, {problems[0]}"
    more = len(problems) - MAX_SHOWN_PROBLEMS
    ending = [f"and {more} more"] if more > 0 else []
    shown = [*problems[:MAX_SHOWN_PROBLEMS], *ending]
    return "\n  ".join([f"{len(problems)} of the {count} rows in {table} cannot be used:", *shown])


def _dataset(digits: Sequence[OwnDigit]) -> Dataset:
    """Return float32 (N, 1, 28, 28) in [0, 1] with their labels."""
    images = np.stack([digit.image for digit in digits])[:, np.newaxis]
    return Dataset(images, np.array([digit.digit for digit in digits]))
