"""Pillow's freed blocks are kept up to a bound, reused and released."""

from collections.abc import Iterator

import pytest
from PIL import Image
from PIL import _imaging as pillow

from service.imaging.pixel_memory import BLOCK_BYTES, MAX_KEPT_BLOCKS, keep_blocks, release_blocks

ROW_PIXELS = 1_024


@pytest.fixture(autouse=True)
def blocks() -> Iterator[None]:
    """Keep blocks during one test only: they are a setting of the process."""
    block_size = pillow.get_block_size()
    keep_blocks()
    pillow.reset_stats()
    yield
    pillow.set_blocks_max(0)
    pillow.set_block_size(block_size)


def allocate(blocks: int) -> None:
    """Allocate an image of this many blocks, and free it."""
    Image.new("L", (ROW_PIXELS, blocks * BLOCK_BYTES // ROW_PIXELS)).close()


def test_the_next_image_reuses_the_freed_blocks() -> None:
    allocate(4)
    allocate(4)
    stats = pillow.get_stats()
    assert (stats["allocated_blocks"], stats["reused_blocks"], stats["blocks_cached"]) == (4, 4, 4)


def test_a_large_image_leaves_a_bounded_number_of_blocks() -> None:
    allocate(3 * MAX_KEPT_BLOCKS)
    assert pillow.get_stats()["blocks_cached"] == MAX_KEPT_BLOCKS


def test_kept_blocks_are_released() -> None:
    allocate(4)
    release_blocks()
    assert pillow.get_stats()["blocks_cached"] == 0
