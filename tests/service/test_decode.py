"""Whatever a PNG or JPEG holds comes out as the same upright grey picture, or as an ImageError."""

import numpy as np
import pytest
from PIL import Image

from service.classifier import Classifier
from service.decode import ENOUGH, decode, is_quick
from service.errors import ImageError
from service.pipeline import read_digit
from tests.pictures import DIGIT, SEVEN, empty_png, encode

LIMIT = 50_000_000
GREY = np.asarray(SEVEN)


def with_alpha(colour: int, *, background: int | None = None) -> Image.Image:
    """The seven as a stroke of one colour that lives in alpha, over nothing or over an opaque page."""
    ink = Image.fromarray(255 - GREY)
    page = Image.new("RGBA", SEVEN.size, (0, 0, 0, 0) if background is None else (background,) * 3 + (255,))
    page.paste(Image.new("RGBA", SEVEN.size, (colour,) * 3 + (255,)), mask=ink)
    return page


PICTURES = {
    "grey PNG": encode(SEVEN),
    "RGB PNG": encode(SEVEN.convert("RGB")),
    "palette PNG": encode(SEVEN.convert("P")),
    "1-bit PNG": encode(SEVEN.convert("1", dither=Image.Dither.NONE)),
    "16-bit PNG": encode(Image.fromarray(GREY.astype(np.uint16) << 8)),
    "grey and alpha PNG": encode(SEVEN.convert("LA")),
    "RGBA PNG": encode(SEVEN.convert("RGBA")),
    "black stroke in alpha alone": encode(with_alpha(0)),
    "black stroke on an opaque page": encode(with_alpha(0, background=255)),
    "interlaced PNG": encode(SEVEN, interlace=1),
    "grey JPEG": encode(SEVEN, "JPEG", quality=95),
    "RGB JPEG": encode(SEVEN.convert("RGB"), "JPEG", quality=95),
    "progressive JPEG": encode(SEVEN, "JPEG", quality=95, progressive=True),
    "CMYK JPEG": encode(SEVEN.convert("RGB").convert("CMYK"), "JPEG", quality=95),
    "MPO": encode(SEVEN.convert("RGB"), "MPO", quality=95),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_mode_decodes_to_the_same_picture(name: str) -> None:
    """Depth, palette, alpha, colour model and compression change nothing but rounding."""
    grey = decode(PICTURES[name], LIMIT)
    assert grey.dtype == np.uint8
    assert grey.shape == GREY.shape
    assert np.abs(grey.astype(int) - GREY).mean() < 2


def test_a_white_stroke_in_alpha_alone_gets_dark_paper() -> None:
    """On white paper it would vanish."""
    grey = decode(encode(with_alpha(255)), LIMIT)
    assert np.abs(grey.astype(int) - (255 - GREY.astype(int))).mean() < 2


def test_a_page_with_clear_margins_stays_a_page() -> None:
    """The margins take the page's own colour, not one that makes the page look like ink."""
    page = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    page.paste(SEVEN.convert("RGBA"), (20, 20))
    grey = decode(encode(page), LIMIT)
    assert (grey[:20] > 250).all()
    assert np.array_equal(grey[20:140, 20:140], GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    """All eight ways that a phone may be held give the upright picture back."""
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
    assert np.array_equal(decode(encode(stored, exif=exif), LIMIT), GREY)


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    """The picture is there all the same."""
    assert decode(encode(SEVEN, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"), LIMIT).shape == GREY.shape


@pytest.mark.parametrize("side", [ENOUGH - 1, ENOUGH, 2 * ENOUGH - 1, 2 * ENOUGH, 2 * ENOUGH + 1, 3000])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_large_pictures_are_reduced_but_not_below_enough(side: int, kind: str) -> None:
    """Around every boundary the result holds at least ENOUGH pixels a side, or all that there were."""
    height, width = decode(encode(SEVEN.resize((side, side)), kind), LIMIT).shape
    assert height == width
    assert min(side, ENOUGH) <= height <= 2 * ENOUGH


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 4000), (4000, 1), (28, 28)])
def test_extreme_shapes_decode(width: int, height: int) -> None:
    """No shape divides by zero or vanishes."""
    assert decode(encode(Image.new("RGB", (width, height))), LIMIT).size > 0


@pytest.mark.parametrize("size", [(7000, 7200), (9500, 9500), (20_000, 20_000), (2**31 - 1, 1)])
def test_too_many_pixels_are_refused_before_they_are_decoded(size: tuple[int, int]) -> None:
    """The size in the header decides: below Pillow's own warning, where it warns, and where it raises."""
    with pytest.raises(ImageError, match="it has too many pixels"):
        decode(empty_png(*size), LIMIT)


@pytest.mark.parametrize(
    ("mode", "each"), [("L", 1), ("1", 2), ("P", 2), ("RGB", 4), ("RGBA", 5), ("LA", 5), ("I;16", 5)]
)
def test_the_limit_itself_is_allowed(mode: str, each: int) -> None:
    """A picture that needs just as much memory as is allowed is decoded; one pixel more is refused."""
    assert decode(encode(Image.new(mode, (100, 100))), each * 10_000).shape == (100, 100)
    with pytest.raises(ImageError, match="101 x 100 of them would take"):
        decode(encode(Image.new(mode, (101, 100))), each * 10_000)


def test_a_large_photo_is_small_work_unless_it_is_progressive() -> None:
    """A baseline JPEG is decoded at reduced scale; a progressive one keeps every coefficient in memory."""
    photo = Image.new("RGB", (4000, 3000), "white")
    assert decode(encode(photo, "JPEG"), 1_000_000).shape == (375, 500)
    for subsampling, megabytes in ((0, 72), (2, 36)):
        progressive = encode(photo, "JPEG", progressive=True, subsampling=subsampling)
        assert decode(progressive, megabytes * 1_000_000 + 500 * 375).shape == (375, 500)
        with pytest.raises(ImageError, match=f"4000 x 3000 of them would take {megabytes} MB"):
            decode(progressive, megabytes * 1_000_000)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "LA", "I;16"])
def test_every_mode_is_reduced(mode: str) -> None:
    """A large picture of any mode comes out no larger than it has to be."""
    assert ENOUGH <= max(decode(encode(Image.new(mode, (2048, 2048))), LIMIT).shape) < 2 * ENOUGH


@pytest.mark.parametrize("name", ["grey PNG", "palette PNG", "RGBA PNG", "RGB JPEG", "progressive JPEG"])
def test_every_truncation_is_an_image_error(name: str) -> None:
    """A file cut anywhere before its last pixels is refused; nothing else is ever raised."""
    whole = PICTURES[name]
    for length in range(len(whole)):
        try:
            decode(whole[:length], LIMIT)
        except ImageError:
            continue
        assert length > len(whole) - 25, "only check sums and the end marker may be missing"


@pytest.mark.parametrize("name", PICTURES)
def test_flipped_bytes_give_a_picture_or_an_image_error(name: str) -> None:
    """No byte that anyone sends raises anything else."""
    rng = np.random.default_rng(0)
    whole = np.frombuffer(PICTURES[name], np.uint8)
    for _ in range(150):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), rng.integers(1, 6))] = rng.integers(0, 256)
        try:
            assert decode(damaged.tobytes(), LIMIT).dtype == np.uint8
        except ImageError as error:
            assert str(error).startswith("Error processing image: ")


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_refused(kind: str) -> None:
    """Pillow could read them; their parsers never see the bytes."""
    with pytest.raises(ImageError, match="neither a PNG nor a JPEG"):
        decode(encode(SEVEN, kind), LIMIT)


COLOURS = {
    "blue on white": ((20, 40, 200), (255, 255, 255)),
    "yellow on white": ((255, 240, 0), (255, 255, 255)),
    "orange on black": ((255, 140, 0), (0, 0, 0)),
    "white on green": ((255, 255, 255), (0, 120, 60)),
    "red on green as bright": ((200, 0, 0), (0, 102, 0)),
    "blue on grey as bright": ((0, 80, 255), (76, 76, 76)),
}


@pytest.mark.parametrize("name", COLOURS)
def test_ink_of_any_colour_is_read(name: str, classifier: Classifier) -> None:
    """Also where ink and paper are equally bright, and only their colours differ."""
    ink, paper = COLOURS[name]
    page = Image.new("RGB", SEVEN.size, paper)
    page.paste(Image.new("RGB", SEVEN.size, ink), mask=Image.fromarray(255 - GREY))
    assert read_digit(encode(page), classifier, LIMIT).digit == DIGIT


def test_only_small_pictures_are_quick() -> None:
    """Few bytes may be many pixels."""
    assert is_quick(encode(SEVEN))
    assert is_quick(encode(SEVEN.convert("RGB"), "JPEG"))
    assert is_quick(b"no picture")
    assert not is_quick(encode(Image.new("L", (3000, 3000))))
    assert not is_quick(encode(Image.effect_noise((300, 300), 90)))
