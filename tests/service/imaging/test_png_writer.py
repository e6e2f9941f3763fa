"""A gray image is written as a PNG file that any reader opens."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from service.imaging.png_writer import encode_png


@pytest.mark.parametrize("shape", [(28, 28), (1, 1), (3, 50)])
def test_pixels_survive(shape: tuple[int, int]) -> None:
    """Decode to the same pixels, mode L."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    image = Image.open(BytesIO(encode_png(pixels)))
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), pixels)
