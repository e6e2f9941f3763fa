"""Keep a few freed blocks of Pillow's pixel memory for the next image.

Otherwise each image maps new memory, one page fault per 4 KB of pixels: a fifth of the time of a screenshot.
"""

from PIL import _imaging as pillow

BLOCK_BYTES = 65_536
"""Largest block of an image's pixels. The heap serves it: above `process.memory.MMAP_THRESHOLD` it would be mapped."""

MAX_KEPT_BLOCKS = 32
"""Freed blocks that are kept: 2 MB of pixels."""


def keep_blocks() -> None:
    """Keep freed blocks from now on. Pillow reads PILLOW_BLOCK_SIZE and PILLOW_BLOCKS_MAX only when it is imported."""
    pillow.set_block_size(BLOCK_BYTES)
    pillow.set_blocks_max(MAX_KEPT_BLOCKS)


def release_blocks() -> None:
    """Free the kept blocks. Takes some microseconds."""
    pillow.clear_cache()
