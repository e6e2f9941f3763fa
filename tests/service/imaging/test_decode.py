"""A PNG or JPEG file of any mode decodes to the same upright gray image, or raises ImageError."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.errors import ImageError
from service.imaging.cost import MAX_CHEAP_BYTES, MAX_SIDE
from service.imaging.decode import decode, has_image_signature, open_image
from service.imaging.gray import TARGET_SIDE
from tests.hostile.jpeg_writer import ARITHMETIC, progressive, scan
from tests.hostile.jpeg_writer import GRAY as GRAY_JPEG
from tests.hostile.jpeg_writer import jpeg as write_jpeg
from tests.hostile.png_writer import END, SEVEN_HEADER, chunk, file
from tests.images import SEVEN, empty_png, encode

MAX_BYTES = 50_000_000
GRAY = np.asarray(SEVEN)


def stroke_with_alpha(level: int, background: int | None = None) -> Image.Image:
    """Draw the seven through its alpha channel, on a transparent layer or on an opaque page."""
    ink = Image.fromarray(255 - GRAY)
    page = Image.new("RGBA", SEVEN.size, (0, 0, 0, 0) if background is None else (background,) * 3 + (255,))
    page.paste(Image.new("RGBA", SEVEN.size, (level,) * 3 + (255,)), mask=ink)
    return page


FILES = {
    "gray PNG": encode(SEVEN),
    "RGB PNG": encode(SEVEN.convert("RGB")),
    "palette PNG": encode(SEVEN.convert("P")),
    "1-bit PNG": encode(SEVEN.convert("1", dither=Image.Dither.NONE)),
    "16-bit PNG": encode(Image.fromarray(GRAY.astype(np.uint16) << 8)),
    "gray and alpha PNG": encode(SEVEN.convert("LA")),
    "RGBA PNG": encode(SEVEN.convert("RGBA")),
    "gray PNG with a transparent level": encode(SEVEN, transparency=255),
    "RGB PNG with a transparent color": encode(SEVEN.convert("RGB"), transparency=(255, 255, 255)),
    "1-bit PNG with a transparent level": encode(SEVEN.convert("1", dither=Image.Dither.NONE), transparency=255),
    "palette PNG with a transparent entry": encode(SEVEN.convert("P"), transparency=255),
    "16-bit PNG with a transparent level": encode(Image.fromarray(GRAY.astype(np.uint16) << 8), transparency=1),
    "black stroke on a transparent layer": encode(stroke_with_alpha(0)),
    "black stroke on an opaque page": encode(stroke_with_alpha(0, background=255)),
    "interlaced PNG": encode(SEVEN, interlace=1),
    "gray JPEG": encode(SEVEN, "JPEG", quality=95),
    "RGB JPEG": encode(SEVEN.convert("RGB"), "JPEG", quality=95),
    "progressive JPEG": encode(SEVEN, "JPEG", quality=95, progressive=True),
    "CMYK JPEG": encode(SEVEN.convert("RGB").convert("CMYK"), "JPEG", quality=95),
    "MPO": encode(SEVEN.convert("RGB"), "MPO", quality=95),
}


@pytest.mark.parametrize("name", FILES)
def test_every_mode_decodes_to_the_same_image(name: str) -> None:
    """Decode every bit depth, palette, alpha, color model and compression to the same gray levels, up to rounding."""
    gray = decode(FILES[name], MAX_BYTES)
    assert gray.dtype == np.uint8
    assert gray.shape == GRAY.shape
    assert np.abs(gray.astype(int) - GRAY).mean() < 2


def test_white_stroke_on_a_transparent_layer_gets_a_dark_background() -> None:
    """Composite a white stroke on black, because it would vanish on white."""
    gray = decode(encode(stroke_with_alpha(255)), MAX_BYTES)
    assert np.abs(gray.astype(int) - (255 - GRAY.astype(int))).mean() < 2


def test_transparent_margins_take_the_gray_of_the_page() -> None:
    """Fill transparent margins with the page's median gray, so that the page itself is not taken for ink."""
    page = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    page.paste(SEVEN.convert("RGBA"), (20, 20))
    gray = decode(encode(page), MAX_BYTES)
    assert (gray[:20] > 250).all()
    assert np.array_equal(gray[20:140, 20:140], GRAY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    """Rotate an image of any of the eight EXIF orientations upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = SEVEN.transpose(undo[orientation]) if orientation in undo else SEVEN
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decode(encode(stored, exif=exif), MAX_BYTES), GRAY)


def test_image_is_decoded_once_and_its_pixels_are_released() -> None:
    """Release the decoded pixels, because a batch holds its images until the last one is decoded."""
    opened = open_image(encode(SEVEN), MAX_BYTES)
    opened.decode()
    with pytest.raises(ValueError, match="closed image"):
        opened.image.getpixel((0, 0))


def test_damaged_exif_data_is_ignored() -> None:
    """Decode an image whose EXIF data is damaged."""
    damaged = encode(SEVEN, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert np.array_equal(decode(damaged, MAX_BYTES), decode(encode(SEVEN, "JPEG"), MAX_BYTES))


@pytest.mark.parametrize(
    "side", [TARGET_SIDE - 1, TARGET_SIDE, 2 * TARGET_SIDE - 1, 2 * TARGET_SIDE, 2 * TARGET_SIDE + 1, 3000]
)
@pytest.mark.parametrize("file_type", ["PNG", "JPEG"])
def test_large_image_is_reduced_to_between_one_and_two_target_sides(side: int, file_type: str) -> None:
    """Keep at least TARGET_SIDE pixels per side of an image without an even border, or all of a smaller one."""
    shaded = Image.radial_gradient("L").resize((side, side))
    height, width = decode(encode(shaded, file_type), MAX_BYTES).shape
    assert height == width
    assert min(side, TARGET_SIDE) <= height <= 2 * TARGET_SIDE


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "LA", "I;16"])
def test_every_mode_is_reduced(mode: str) -> None:
    """Reduce a large image of any mode."""
    height, width = decode(encode(Image.new(mode, (2048, 2048))), MAX_BYTES).shape
    assert height == width
    assert TARGET_SIDE <= height < 2 * TARGET_SIDE


def test_opaque_alpha_is_ignored() -> None:
    """Decode RGBA and LA images of a page that is opaque everywhere as those without alpha."""
    red = Image.merge("RGB", [Image.fromarray(GRAY // 4 + 60), *[Image.new("L", SEVEN.size, 76)] * 2])
    for plain, mode in ((SEVEN, "LA"), (SEVEN.convert("RGB"), "RGBA"), (red, "RGBA")):
        without = decode(encode(plain), MAX_BYTES)
        assert np.array_equal(decode(encode(plain.convert(mode)), MAX_BYTES), without)


def red_on_gray(side: int) -> Image.Image:
    """Draw the seven in red on gray paper of the same brightness."""
    ink = Image.fromarray(255 - GRAY).resize((side, side))
    noise = np.random.default_rng(0).normal(100, 3, (side, side)).round().astype(np.uint8)
    page = Image.fromarray(noise).convert("RGB")
    page.paste((230, 36, 89), mask=ink)  # 0.299 * 230 + 0.587 * 36 + 0.114 * 89 = 100
    return page


@pytest.mark.parametrize("side", [28, 320, 2_900])
@pytest.mark.parametrize("options", [{"image_format": "PNG"}, {}, {"progressive": True}, {"subsampling": 0}])
def test_ink_as_bright_as_its_page_is_seen_by_its_color(side: int, options: dict[str, Any]) -> None:
    """Decode the color channel with the most contrast where the brightness shows no ink."""
    gray = decode(encode(red_on_gray(side), **{"image_format": "JPEG", "quality": 95, **options}), MAX_BYTES)
    assert abs(np.median(gray) - 100) < 8
    assert np.percentile(gray, 98) > 160


def test_faint_gray_ink_is_seen_by_its_brightness() -> None:
    """Keep the brightness of a pale JPEG file: its color channels show the same ink with more noise."""
    faint = Image.fromarray((200 + GRAY // 16).astype(np.uint8))
    gray = decode(encode(faint.convert("RGB"), "JPEG"), MAX_BYTES)
    assert np.array_equal(gray, decode(encode(faint, "JPEG"), MAX_BYTES))


@pytest.mark.parametrize(("size", "has_color"), [((1_000, 320), True), ((4_000, 320), False)])
def test_only_a_small_image_is_decoded_in_color(size: tuple[int, int], has_color: bool) -> None:
    """Count the memory of its colors, and leave out those of an image that would take much."""
    color, gray = (open_image(encode(Image.new(mode, size), "JPEG"), MAX_BYTES) for mode in ("RGB", "L"))
    assert color.has_color == has_color
    assert not gray.has_color
    assert color.decode_bytes - gray.decode_bytes == (4 * size[0] * size[1] if has_color else 0)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (28, 28), (1, 4000), (4000, 1)])
def test_extreme_shapes_decode(width: int, height: int) -> None:
    """Decode images of one pixel, one row or one column, and keep their proportions."""
    rows, columns = decode(encode(Image.new("RGB", (width, height))), MAX_BYTES).shape
    assert (rows == 1, columns == 1) == (height == 1, width == 1)


@pytest.mark.parametrize("size", [(7000, 7200), (9500, 9500), (20_000, 20_000), (2**31 - 1, 1)])
def test_too_many_pixels_are_rejected_from_the_header(size: tuple[int, int]) -> None:
    """Reject a size below Pillow's warning, one where Pillow warns, and ones where it raises, before decoding."""
    with pytest.raises(ImageError, match="it has too many pixels"):
        decode(empty_png(*size), MAX_BYTES)


@pytest.mark.parametrize("size", [(MAX_SIDE, 1), (1, MAX_SIDE)])
@pytest.mark.parametrize("file_type", ["PNG", "JPEG"])
def test_side_limit_is_inclusive(size: tuple[int, int], file_type: str) -> None:
    """Decode MAX_SIDE pixels on one side, and reject one more: buffers that grow with one side are not counted."""
    assert decode(encode(Image.new("L", size), file_type), MAX_BYTES).shape == size[::-1]
    longer = encode(Image.new("L", (max(1, size[0] + 1), size[1] + 1)), file_type)
    with pytest.raises(ImageError, match="is more than 20000 on one side"):
        decode(longer, MAX_BYTES)


@pytest.mark.parametrize(
    ("mode", "bytes_per_pixel"), [("L", 1), ("1", 2), ("P", 2), ("RGB", 4), ("RGBA", 5), ("LA", 5), ("I;16", 6)]
)
def test_memory_limit_is_inclusive(mode: str, bytes_per_pixel: int) -> None:
    """Decode an image that needs exactly the memory limit, and reject one that is a column wider."""
    assert decode(encode(Image.new(mode, (100, 100))), bytes_per_pixel * 10_000).shape == (100, 100)
    with pytest.raises(ImageError, match="101 x 100 of them would take"):
        decode(encode(Image.new(mode, (101, 100))), bytes_per_pixel * 10_000)


def test_large_baseline_jpeg_needs_little_memory() -> None:
    """Decode a 12-megapixel baseline JPEG within 1 MB, because it is decoded at a reduced scale."""
    assert decode(encode(Image.new("RGB", (4000, 3000), "white"), "JPEG"), 1_000_000).shape == (375, 500)


@pytest.mark.parametrize(("subsampling", "megabytes"), [(0, 72.0), (2, 36.1)])
def test_progressive_jpeg_counts_its_coefficients(subsampling: int, megabytes: float) -> None:
    """Count two bytes per coefficient of a progressive JPEG at full size, because its decoder keeps them all."""
    photo = Image.new("RGB", (4000, 3000), "white")
    progressive = encode(photo, "JPEG", progressive=True, subsampling=subsampling)
    max_bytes = round(megabytes * 1_000_000)
    assert decode(progressive, max_bytes + 500 * 375).shape == (375, 500)
    with pytest.raises(ImageError, match=f"4000 x 3000 of them would take {megabytes:.0f} MB"):
        decode(progressive, max_bytes)


@pytest.mark.parametrize("name", ["gray PNG", "palette PNG", "RGBA PNG", "RGB JPEG", "progressive JPEG"])
def test_truncated_file_raises_image_error(name: str) -> None:
    """Reject a file that is cut before its last pixels. Only its checksums and end marker may be missing."""
    whole = FILES[name]
    for length in range(len(whole)):
        try:
            decode(whole[:length], MAX_BYTES)
        except ImageError:
            continue
        assert length > len(whole) - 25


@pytest.mark.parametrize("name", FILES)
def test_random_byte_errors_raise_nothing_but_image_error(name: str) -> None:
    """Decode or reject 150 randomly damaged copies of a file, without any other exception."""
    rng = np.random.default_rng(0)
    whole = np.frombuffer(FILES[name], np.uint8)
    for _ in range(150):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), rng.integers(1, 6))] = rng.integers(0, 256)
        try:
            assert decode(damaged.tobytes(), MAX_BYTES).dtype == np.uint8
        except ImageError as error:
            assert str(error).startswith("Error processing image: ")


@pytest.mark.parametrize("file_type", ["GIF", "BMP", "WEBP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_rejected(file_type: str) -> None:
    """Reject formats that Pillow could decode but that are not on the allow-list."""
    assert not has_image_signature(encode(SEVEN, file_type))
    with pytest.raises(ImageError, match="neither a PNG nor a JPEG"):
        decode(encode(SEVEN, file_type), MAX_BYTES)


@pytest.mark.parametrize("name", FILES)
def test_supported_files_have_a_signature(name: str) -> None:
    """Recognize every supported file by its first bytes."""
    assert has_image_signature(FILES[name])


def png_of_size(size: int) -> bytes:
    """Return a PNG file of this many bytes, all of which decoding needs."""
    room = size - len(file(SEVEN_HEADER, chunk(b"tRNS", b""), END))
    return file(SEVEN_HEADER, chunk(b"tRNS", bytes(room)), END)


CHEAP = {
    "small PNG": encode(SEVEN),
    "small JPEG": encode(SEVEN.convert("RGB"), "JPEG"),
    "small progressive JPEG": encode(SEVEN.convert("RGB"), "JPEG", progressive=True),
    "PNG of the target size": empty_png(TARGET_SIDE, TARGET_SIDE),
    "JPEG that is decoded at an eighth of its size": write_jpeg(8 * TARGET_SIDE, 8 * TARGET_SIDE, scan(range(3))),
    "as many bytes as allowed": png_of_size(MAX_CHEAP_BYTES),
    "many bytes of metadata": encode(SEVEN, "JPEG", comment=bytes(60_000)),
    "many bytes behind the end": encode(SEVEN) + bytes(1_000_000),
}
EXPENSIVE = {
    "few bytes, many pixels": encode(Image.new("L", (3000, 3000))),
    "PNG one column wider than the target size": empty_png(TARGET_SIDE + 1, TARGET_SIDE),
    "one byte more than allowed": png_of_size(MAX_CHEAP_BYTES + 1),
    "JPEG of many scans": progressive(320, 320, 60, 10),
    "arithmetic JPEG": write_jpeg(400, 400, scan([0]), sampling=GRAY_JPEG, kind=ARITHMETIC),
}


@pytest.mark.parametrize("name", [*CHEAP, *EXPENSIVE])
def test_only_small_files_with_few_pixels_are_cheap(name: str) -> None:
    """Count a file as cheap up to MAX_CHEAP_BYTES, TARGET_SIDE x TARGET_SIDE pixels and MAX_CHEAP_PASS_BYTES."""
    assert open_image({**CHEAP, **EXPENSIVE}[name], MAX_BYTES).is_cheap == (name in CHEAP)
