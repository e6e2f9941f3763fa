"""The orientation is read from EXIF data of either byte order; damaged data counts as upright."""

import struct

import numpy as np
import pytest
from PIL import Image

from service.imaging.exif import MAX_ENTRIES, UPRIGHT, read_orientation
from tests.hostile.exif import ORIENTATION, SHORT, TEXT, overlapping_exif, tiff


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_that_pillow_wrote_is_read(orientation: int, order: str) -> None:
    """Read each of the eight orientations, in both byte orders."""
    exif = Image.Exif()
    exif.endian = order
    exif[ORIENTATION] = orientation
    assert read_orientation(exif.tobytes().removeprefix(b"Exif\0\0")) == orientation


def test_orientation_is_found_among_other_entries() -> None:
    """Read the orientation from a directory of several entries."""
    entries = [(tag, SHORT, 1, 3) for tag in range(0x0100, 0x0112)]
    assert read_orientation(tiff(*entries, (ORIENTATION, SHORT, 1, 6))) == 6


DAMAGED = {
    "empty": b"",
    "another format": b"Exif" * 10,
    "no directory": b"II*\0",
    "directory beyond the end": b"II*\0" + struct.pack("<I", 4_000_000_000),
    "no entries": tiff(),
    "fewer entries than declared": b"II*\0" + struct.pack("<IH", 8, 60_000),
    "orientation of zero": tiff((ORIENTATION, SHORT, 1, 0)),
    "orientation of nine": tiff((ORIENTATION, SHORT, 1, 9)),
    "orientation in text": tiff((ORIENTATION, TEXT, 1, 6)),
    "two orientations in one entry": tiff((ORIENTATION, SHORT, 2, 6)),
    "orientation behind too many entries": tiff(*[(1, SHORT, 1, 1)] * MAX_ENTRIES, (ORIENTATION, SHORT, 1, 6)),
    "entries that overlap": overlapping_exif(65_000),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_data_counts_as_upright(name: str) -> None:
    """Return 1 for data without a valid orientation among its first MAX_ENTRIES entries."""
    assert read_orientation(DAMAGED[name]) == UPRIGHT


@pytest.mark.parametrize("seed", range(5))
def test_random_damage_never_raises(seed: int) -> None:
    """Return an orientation from 1 to 8 for any damaged or truncated data."""
    rng = np.random.default_rng(seed)
    whole = np.frombuffer(tiff(*[(tag, SHORT, 1, 6) for tag in range(0x0105, 0x0115)]), np.uint8)
    for _ in range(300):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), 4)] = rng.integers(0, 256, 4)
        assert 1 <= read_orientation(damaged[: rng.integers(0, len(whole) + 1)].tobytes()) <= 8
