"""Ranges of a buffer are kept in order: bytes are copied, a bytearray is changed in place and read as a file."""

from io import BytesIO

import numpy as np
import pytest

from service.imaging.buffers import Buffer, keep_ranges, open_buffer

WHOLE = bytes(range(200)) * 50


def random_ranges(seed: int) -> list[tuple[int, int]]:
    """Return ranges that do not overlap, some of them empty or adjacent."""
    rng = np.random.default_rng(seed)
    bounds = sorted(rng.integers(0, len(WHOLE) + 1, 2 * int(rng.integers(1, 30))).tolist())
    return list(zip(bounds[::2], bounds[1::2], strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_ranges_are_joined_in_order(seed: int) -> None:
    """Return the bytes of all ranges. A bytearray is the same object afterwards."""
    ranges, array = random_ranges(seed), bytearray(WHOLE)
    expected = b"".join(WHOLE[start:end] for start, end in ranges)
    assert keep_ranges(WHOLE, ranges) == expected
    assert keep_ranges(array, ranges) is array
    assert array == expected


@pytest.mark.parametrize("buffer", [WHOLE, bytearray(WHOLE)])
def test_whole_buffer_is_returned_as_it_is(buffer: Buffer) -> None:
    """Copy nothing if one range is the whole buffer."""
    assert keep_ranges(buffer, [(0, len(buffer))]) is buffer
    assert buffer == WHOLE


def test_many_ranges_are_kept_in_one_pass() -> None:
    """Keep every second byte of a megabyte. Moving the rest of the buffer for each range would take a minute."""
    array = bytearray(b"ab" * 500_000)
    keep_ranges(array, [(start, start + 1) for start in range(0, 1_000_000, 2)])
    assert array == b"a" * 500_000


@pytest.mark.parametrize("seed", range(10))
def test_bytearray_is_read_as_bytes_are(seed: int) -> None:
    """Agree with BytesIO on random reads, seeks and positions, also beyond the end."""
    rng = np.random.default_rng(seed)
    ours, oracle = open_buffer(bytearray(WHOLE)), BytesIO(WHOLE)
    for _ in range(200):
        if rng.random() < 0.5:
            size = int(rng.integers(-1, 500))
            assert ours.read(size) == oracle.read(size)
        else:
            offset = int(rng.integers(0, len(WHOLE) + 100))
            assert ours.seek(offset) == oracle.seek(offset)
        assert ours.tell() == oracle.tell()
