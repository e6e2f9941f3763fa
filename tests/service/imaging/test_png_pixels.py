"""RGB and RGBA are decoded with the values that Pillow gives, and gray pixels in gray."""

import zlib
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from service.errors import ImageError
from service.imaging import png_pixels
from service.imaging.decode import decode
from service.imaging.png_pixels import decode_pixels
from tests.hostile.png_writer import END, RGB, RGBA, chunk, file, header, idats
from tests.images import encode

MAX_BYTES = 50_000_000
SIDE = 130  # just above MIN_PIXELS
NONE, SUB, UP, AVERAGE, PAETH = range(5)
Pixels = NDArray[np.uint8]


def gray_pixels(height: int = SIDE, width: int = SIDE) -> Pixels:
    """Draw random gray pixels with a white margin, uint8 (H, W)."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[5:-5, 5:-5] = np.random.default_rng(0).integers(0, 256, (height - 10, width - 10))
    return pixels


def in_color(gray: Pixels, alpha: Pixels | int | None = None) -> Pixels:
    """Repeat gray, uint8 (H, W), as RGB or RGBA, uint8 (H, W, 3 or 4)."""
    channels = [gray, gray, gray] if alpha is None else [gray, gray, gray, np.broadcast_to(np.uint8(alpha), gray.shape)]
    return np.stack(channels, axis=2)


def filtered(pixels: Pixels, filters: list[int]) -> bytes:
    """Filter rows of pixels, uint8 (H, W, C), with these filters in turn (ISO/IEC 15948, 9.2)."""
    padded = np.pad(pixels.astype(int), ((1, 0), (1, 0), (0, 0)))
    here, left, above, corner = padded[1:, 1:], padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    distances = np.abs(np.stack([above - corner, left - corner, left + above - 2 * corner]))
    paeth = np.choose(distances.argmin(axis=0), [left, above, corner])
    predictions = [np.zeros_like(here), left, above, (left + above) // 2, paeth]
    rows = [
        bytes([kind]) + (here[row] - predictions[kind][row]).astype(np.uint8).tobytes()
        for row, kind in enumerate(np.resize(filters, len(pixels)).tolist())
    ]
    return b"".join(rows)


def write(pixels: Pixels, filters: list[int], size: int = 2**20) -> bytes:
    """Write a PNG file of uint8 (H, W, C) with these filters and IDAT chunks of `size` bytes."""
    height, width, channels = pixels.shape
    color = {3: RGB, 4: RGBA}[channels]
    return file(header(width, height, color=color), idats(zlib.compress(filtered(pixels, filters)), size), END)


def decoded(image_bytes: bytes) -> Image.Image | None:
    """Decode a file as the service does. None if Pillow has to."""
    return decode_pixels(PngImageFile(BytesIO(image_bytes)), image_bytes)


def pillow(image_bytes: bytes, mode: str) -> Pixels:
    """Decode a file with Pillow alone."""
    return np.asarray(Image.open(BytesIO(image_bytes)).convert(mode))


FILTERS = [[NONE], [SUB], [UP], [AVERAGE], [PAETH], [UP, NONE, PAETH, SUB, AVERAGE], [PAETH, AVERAGE, UP, SUB]]


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize(("alpha", "mode"), [(None, "L"), (255, "L"), (0, "LA"), (254, "LA")])
def test_gray_is_decoded_for_each_filter(filters: list[int], alpha: int | None, mode: str) -> None:
    """Decode gray, with alpha only if a pixel is transparent."""
    image_bytes = write(in_color(gray_pixels(), alpha), filters)
    image = decoded(image_bytes)
    assert image is not None
    assert image.mode == mode
    assert np.array_equal(np.asarray(image), pillow(image_bytes, mode))


@pytest.mark.parametrize("filters", FILTERS)
def test_transparent_layer_is_decoded(filters: list[int]) -> None:
    """Decode a black stroke whose alpha alone has a shape, as a browser's canvas without a background."""
    alpha = 255 - gray_pixels()
    image_bytes = write(in_color(np.zeros_like(alpha), alpha), filters)
    image = decoded(image_bytes)
    assert image is not None
    assert np.array_equal(np.asarray(image.getchannel("A")), alpha)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("band_bytes", [1, 7_000, 100_000])
def test_bands_and_chunks_may_have_any_size(mode: str, band_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode the same pixels, however the rows and the compressed bytes are divided."""
    monkeypatch.setattr(png_pixels, "BAND_BYTES", band_bytes)
    pixels = gray_pixels(150, 190)
    color = in_color(pixels, 255 if mode == "RGBA" else None)
    for size in (1, 999, 2**20):
        image = decoded(write(color, [PAETH, UP], size))
        assert image is not None
        assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_color_is_kept(mode: str, channel: int, filters: list[int]) -> None:
    """Decode all channels if one of them differs in the last pixel."""
    color = in_color(gray_pixels(), 255 if mode == "RGBA" else None)
    color[-1, -1, channel] -= 1
    image_bytes = write(color, filters)
    image = decoded(image_bytes)
    assert image is not None
    assert image.mode == mode
    assert np.array_equal(np.asarray(image), color)


def test_color_may_begin_at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode all channels of gray rows below colored ones."""
    monkeypatch.setattr(png_pixels, "BAND_BYTES", 10_000)
    color = in_color(gray_pixels())
    color[0, 0, 1] = 0
    image = decoded(write(color, [UP, PAETH]))
    assert image is not None
    assert np.array_equal(np.asarray(image), color)


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("channel", [2, 3])
def test_rows_that_need_more_channels_leave_all_to_pillow(
    channel: int, filters: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Return None if one pixel of the last row has color, or is not opaque: the rows above were kept in gray."""
    monkeypatch.setattr(png_pixels, "BAND_BYTES", 10_000)
    pixels = in_color(gray_pixels(), 255)
    pixels[-1, SIDE // 2, channel] = 254
    image_bytes = write(pixels, filters)
    assert decoded(image_bytes) is None
    assert abs(decode(image_bytes, MAX_BYTES).astype(int) - gray_pixels()).max() <= 1


@pytest.mark.parametrize("color", [(0, 0, 0, 0), (0, 0, 1, 255), (0, 0, 1)])
def test_large_image_is_left_to_pillow_unless_it_is_gray(
    color: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Return None for more than MAX_PIXELS transparent or colored pixels."""
    monkeypatch.setattr(png_pixels, "MAX_PIXELS", SIDE * SIDE)
    pixels = np.full((SIDE + 1, SIDE, len(color)), color, np.uint8)
    assert decoded(write(pixels, [NONE])) is None
    assert decoded(write(pixels[1:], [NONE])) is not None
    assert decoded(write(in_color(gray_pixels(SIDE + 1)), [NONE])) is not None


OTHER_LAYOUTS = {
    "gray": encode(Image.fromarray(gray_pixels())),
    "gray with alpha": encode(Image.fromarray(gray_pixels()).convert("LA")),
    "palette": encode(Image.fromarray(gray_pixels()).convert("P")),
    "transparent color": encode(Image.fromarray(in_color(gray_pixels())), transparency=(255, 255, 255)),
    "16 bits": file(header(SIDE, SIDE, 16, RGB), chunk(b"IDAT", zlib.compress(bytes(SIDE * (1 + 6 * SIDE)))), END),
    "interlaced": file(header(SIDE, SIDE, 8, RGB, 1), chunk(b"IDAT", zlib.compress(bytes(SIDE * 4 * SIDE))), END),
    "small": encode(Image.new("RGB", (127, 129), "white")),
}


@pytest.mark.parametrize("layout", OTHER_LAYOUTS)
def test_other_layout_is_left_to_pillow(layout: str) -> None:
    """Return None for what is not 8-bit RGB or RGBA, and for a small image."""
    assert decoded(OTHER_LAYOUTS[layout]) is None


def test_jpeg_is_left_to_pillow() -> None:
    """Return None for another format."""
    image_bytes = encode(Image.fromarray(in_color(gray_pixels())), "JPEG")
    with Image.open(BytesIO(image_bytes)) as image:
        assert decode_pixels(image, image_bytes) is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_damaged_file_gives_the_error_of_pillow(mode: str) -> None:
    """Raise ImageError if the data is cut off or is no zlib stream, or if a filter does not exist."""
    pixels = in_color(gray_pixels(), 255 if mode == "RGBA" else None)
    head, data = header(SIDE, SIDE, color=RGBA if mode == "RGBA" else RGB), zlib.compress(filtered(pixels, [UP]))
    unknown_filter = bytearray(filtered(pixels, [UP]))
    unknown_filter[-1 - SIDE * len(mode)] = 5
    for damaged in (data[: len(data) // 2], b"\0" + data[1:], b"", zlib.compress(unknown_filter)):
        with pytest.raises(ImageError, match="damaged or truncated"):
            decode(file(head, chunk(b"IDAT", damaged), END), MAX_BYTES)
    with pytest.raises(ImageError, match="damaged or truncated"):
        decode(file(head, chunk(b"IDAT", data))[:-100], MAX_BYTES)


def test_data_after_the_last_pixel_is_ignored() -> None:
    """Decode the pixels of a stream that is longer than they are, as Pillow does."""
    data = zlib.compress(filtered(in_color(gray_pixels()), [UP]) + bytes(100_000))
    image = decoded(file(header(SIDE, SIDE, color=RGB), chunk(b"IDAT", data), END))
    assert image is not None
    assert np.array_equal(np.asarray(image), gray_pixels())
