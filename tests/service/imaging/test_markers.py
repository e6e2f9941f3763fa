"""The markers of a JPEG file are counted up to its end marker, across the chunks that are examined at a time."""

import numpy as np
import pytest

from service.imaging.markers import CHUNK_BYTES, EOI, count_markers

END = bytes((0xFF, EOI))


@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_those_of_a_search(seed: int) -> None:
    """Count each pair that begins with 0xFF, in three chunks of bytes of which every third is 0xFF."""
    rng = np.random.default_rng(seed)
    content = rng.choice(np.array([0, 0xDA, 0xFF], np.uint8), 2 * CHUNK_BYTES + 1_000).tobytes()
    counts, end = count_markers(content, 10)
    pairs = [content[index + 1] for index in range(10, len(content) - 1) if content[index] == 0xFF]
    assert counts == [pairs.count(kind) for kind in range(256)]
    assert end == len(content)


@pytest.mark.parametrize("position", [0, 5, CHUNK_BYTES - 2, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_image_ends_behind_its_first_end_marker(position: int) -> None:
    """Leave out what follows the first end marker, wherever it lies in a chunk."""
    content = b"\xff\xda" + bytes(position) + END + b"\xff\xda" * 9 + END
    counts, end = count_markers(content, 2)
    assert end == 2 + position + len(END)
    assert (counts[EOI], counts[0xDA]) == (1, 0)


@pytest.mark.parametrize("content", [b"", b"\xff", b"\0" * CHUNK_BYTES + b"\xff"])
def test_content_without_markers_has_none(content: bytes) -> None:
    """Count nothing in empty content and in a byte 0xFF at the end."""
    assert count_markers(content, 0) == ([0] * 256, len(content))


def test_bytearray_can_be_shortened_afterwards() -> None:
    """Leave no view of a bytearray behind, which would forbid to change its size."""
    content = bytearray(bytes(100) + END)
    count_markers(content, 0)
    del content[50:]
    assert len(content) == 50
