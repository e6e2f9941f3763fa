"""Parts of a large image are decoded again at a higher resolution, upright."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from service.imaging.decode import open_image
from service.imaging.detail import decode_parts
from service.imaging.exif import ORIENTATIONS
from tests.images import SEVEN, encode

MAX_BYTES = 50_000_000
PART = (0.5, 0.25, 0.75, 0.5)


def page() -> Image.Image:
    """Draw the seven in PART of a large page."""
    image = Image.new("L", (1_600, 1_200), 255)
    image.paste(SEVEN.resize((400, 300)), (800, 300))
    return image


EXPECTED = np.asarray(SEVEN.resize((400, 300)), int)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "P"])
def test_part_has_its_own_pixels(image_format: str, mode: str) -> None:
    """Decode a part of an image of any mode with all its pixels, after the whole was decoded."""
    if image_format == "JPEG" and mode in ("LA", "P"):
        pytest.skip("JPEG has no such mode")
    image = open_image(encode(page().convert(mode), image_format), MAX_BYTES)
    assert image.decode().shape[0] < 1_200
    (part,) = decode_parts(image, [PART])
    assert part.shape == EXPECTED.shape
    assert np.abs(part - EXPECTED).mean() < 2


@pytest.mark.parametrize("orientation", [1, *ORIENTATIONS])
def test_part_is_upright(orientation: int) -> None:
    """Cut the part out of the upright image, however the file stores it."""
    upright = page()
    stored = next(
        turned
        for method in [None, *Image.Transpose]
        if (turned := upright if method is None else upright.transpose(method))
        and _upright(turned, orientation).tobytes() == upright.tobytes()
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = BytesIO()
    stored.save(file, "PNG", exif=exif)
    image = open_image(file.getvalue(), MAX_BYTES)
    image.decode()
    (part,) = decode_parts(image, [PART])
    assert np.array_equal(part, EXPECTED)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = ORIENTATIONS.get(orientation)
    return image if method is None else image.transpose(method)
