"""A progressive JPEG file that is decoded at 1/8 scale gives the same pixels without its AC scans."""

from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from service.errors import ImageError
from service.imaging import jpeg
from service.imaging.dc_scans import MAX_SEGMENTS, keep_dc_scans
from service.imaging.decode import decode, open_image
from tests.images import encode

MAX_BYTES = 100_000_000


@cache
def photo(width: int, height: int, **options: Any) -> bytes:
    """Encode smooth colors with noise as a JPEG file."""
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 255, (height // 16, width // 16, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(colors).resize((width, height), Image.Resampling.BICUBIC), np.float32)
    noisy = smooth + rng.normal(0, 12, smooth.shape)
    return encode(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)), "JPEG", **options)


def eighth(image_bytes: bytes) -> NDArray[np.uint8]:
    """Decode the gray image at 1/8 scale: uint8 (H / 8, W / 8)."""
    with JpegImageFile(BytesIO(image_bytes)) as image:
        image.draft("L", (image.width // 8, image.height // 8))
        return np.asarray(image)


def frame(image_bytes: bytes) -> bytes:
    return jpeg.read_structure(image_bytes).progressive_frame


WHOLE = photo(1027, 1043, progressive=True)
START = WHOLE.index(b"\xff\xda")


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("restart_marker_blocks", [0, 3])
@pytest.mark.parametrize("size", [(1024, 1024), (1027, 2051), (2561, 1283)])
def test_pixels_are_the_same_without_ac_scans(
    size: tuple[int, int], restart_marker_blocks: int, subsampling: int
) -> None:
    """Give equal pixels at 1/8 scale from less than a quarter of the bytes, with any subsampling and restarts."""
    options = {"subsampling": subsampling, "restart_marker_blocks": restart_marker_blocks}
    whole = photo(*size, progressive=True, quality=90, **options)
    shorter = keep_dc_scans(whole, frame(whole))
    assert shorter is not None
    assert len(shorter) < len(whole) / 4
    assert np.array_equal(eighth(shorter), eighth(whole))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_large_progressive_file_decodes_to_the_same_image(mode: str) -> None:
    """Decode a file of 12 megapixels as Pillow decodes all of it, and keep its content."""
    page = Image.radial_gradient("L").resize((4000, 3000)).convert(mode)
    whole = encode(page, "JPEG", progressive=True, quality=88)
    opened = open_image(whole, MAX_BYTES)
    assert opened.dc_frame
    assert np.array_equal(opened.decode(), decode_whole(whole))
    assert opened.content == whole


def decode_whole(image_bytes: bytes) -> NDArray[np.uint8]:
    opened = open_image(image_bytes, MAX_BYTES)
    opened.dc_frame = b""
    return opened.decode()


@pytest.mark.parametrize("options", [{"progressive": False}, {"progressive": True, "size": (500, 500)}])
def test_other_files_are_decoded_as_they_are(options: dict[str, Any]) -> None:
    """Leave a baseline file, and one that is decoded at a larger scale, as they are."""
    size = options.pop("size", (4000, 3000))
    assert not open_image(encode(Image.new("RGB", size), "JPEG", **options), MAX_BYTES).dc_frame


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_cut_file_is_damaged(share: float) -> None:
    """Reject a file that is cut inside any scan, also inside those that would be left out."""
    whole = photo(4000, 3000, progressive=True)
    cut = whole[: int(len(whole) * share)]
    assert keep_dc_scans(cut, frame(whole)) is None
    with pytest.raises(ImageError, match="damaged or truncated"):
        decode(cut, MAX_BYTES)


UNUSUAL = {
    "empty AC scans": keep_dc_scans(WHOLE, frame(WHOLE)) or b"",
    "many segments": WHOLE[:-2] + b"\xff\xfe\0\2" * MAX_SEGMENTS + WHOLE[-2:],
    "scan header cut off": WHOLE[: START + 4],
    "nothing behind the marker": WHOLE[: START + 2],
    "no scan": WHOLE[:START],
    "mostly DC": WHOLE[:-2] + WHOLE[START : START + len(WHOLE) // 40] * 20 + WHOLE[-2:],
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_file_is_decoded_as_it_is(name: str) -> None:
    """Return nothing for a file whose structure is not that of an encoder, without any exception."""
    assert keep_dc_scans(UNUSUAL[name], frame(WHOLE)) is None


@pytest.mark.parametrize("count", [0, 5, 255])
def test_unusual_number_of_components_is_decoded_as_it_is(count: int) -> None:
    """Return nothing for a frame without components, or with more than JPEG's color models have."""
    segment = frame(WHOLE)
    assert keep_dc_scans(WHOLE, segment[:9] + bytes([count]) + segment[10:]) is None
