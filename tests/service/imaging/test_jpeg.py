"""A JPEG file keeps the segments that decoding needs, and its scans tell what decoding costs."""

import numpy as np
import pytest

from service.errors import ImageError
from service.imaging import jpeg
from service.imaging.buffers import Buffer
from service.imaging.decode import decode
from service.imaging.structure import Structure
from tests.hostile.exif import ORIENTATION, SHORT, tiff
from tests.hostile.jpeg_writer import (
    ARITHMETIC,
    ARITHMETIC_PROGRESSIVE,
    BASELINE,
    CMYK,
    EOI,
    EXTENDED,
    GRAY,
    LOSSLESS,
    PHOTO,
    PROGRESSIVE,
    SOI,
    YCC,
    YCC_420,
    Sampling,
    exif,
    frame,
    photo,
    scan,
    segment,
    sequential_scans,
    tables,
)
from tests.hostile.jpeg_writer import (
    jpeg as write,
)
from tests.images import SEVEN, encode

MAX_BYTES = 50_000_000
PROGRESSIVE_PHOTO = encode(SEVEN.convert("RGB"), "JPEG", progressive=True)


def read(image_bytes: bytes) -> Structure:
    return jpeg.read_structure(image_bytes)


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("whole", [PHOTO, PROGRESSIVE_PHOTO])
def test_file_without_other_segments_is_kept_as_it_is(whole: bytes, buffer: type[Buffer]) -> None:
    """Keep tables, frame and scans byte by byte."""
    assert jpeg.read_structure(buffer(whole)).content == whole


OTHERS = {
    "EXIF": exif(tiff((ORIENTATION, SHORT, 1, 1))),
    "XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0x"),
    "ICC profile": segment(0xE2, b"ICC_PROFILE\0\1\1x"),
    "multi-image format": segment(0xE2, b"MPF\0x"),
    "Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM"),
    "comment": segment(0xFE, b"x" * 1_000),
    "comment that holds a file": segment(0xFE, PHOTO),
    "number of lines": segment(0xDC, b"\0\1"),
    "restart markers": b"\xff\xd0\xff\xd7",
    "fill bytes": b"\xff" * 100,
    "junk": b"\0" * 100 + b"\xff\0",
}


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("name", OTHERS)
def test_segment_that_decoding_ignores_is_dropped(name: str, buffer: type[Buffer]) -> None:
    """Drop metadata, previews and junk before the first scan."""
    assert jpeg.read_structure(buffer(photo(segment(0xFE, b""), OTHERS[name]))).content == PHOTO


@pytest.mark.parametrize("buffer", [bytes, bytearray])
def test_rest_behind_the_end_is_dropped(buffer: type[Buffer]) -> None:
    """Drop what follows the end of the image: other images, videos and scans."""
    for rest in (bytes(1_000), PHOTO, scan([0]) * 1_000):
        assert jpeg.read_structure(buffer(PHOTO + rest)).content == PHOTO


def test_color_transform_of_adobe_is_kept() -> None:
    """Keep the Adobe marker, which tells CMYK from YCCK."""
    marker = segment(0xEE, b"Adobe\0\x64\0\0\0\0\2")
    whole = write(64, 64, marker, scan(range(4), bytes(100)), sampling=CMYK)
    assert read(whole).content == whole


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_is_read_from_the_first_exif_segment(orientation: int) -> None:
    """Read the orientation, and ignore that of further EXIF segments and of a thumbnail."""
    first, second = (exif(tiff((ORIENTATION, SHORT, 1, value))) for value in (orientation, 2))
    assert read(photo(segment(0xE1, b"http://x"), first, second)).orientation == orientation


@pytest.mark.parametrize(
    ("sampling", "units"), [(GRAY, 1), (YCC, 3), (YCC_420, 6), (((2, 1), (1, 1), (1, 1)), 4), (CMYK, 4)]
)
@pytest.mark.parametrize("size", [(8, 8), (16, 16), (17, 1), (100, 300)])
def test_coefficients_fill_whole_minimum_coded_units(sampling: Sampling, units: int, size: tuple[int, int]) -> None:
    """Count two bytes for each of the 64 coefficients of each block of a progressive file."""
    width, height = (8 * max(pair[axis] for pair in sampling) for axis in (0, 1))
    count = -(-size[0] // width) * -(-size[1] // height)
    structure = read(write(*size, scan(range(len(sampling)), b"", (0, 0)), sampling=sampling, kind=PROGRESSIVE))
    assert structure.coefficient_bytes == structure.pass_bytes == 128 * units * count


@pytest.mark.parametrize("kind", [BASELINE, EXTENDED, LOSSLESS])
def test_only_a_multi_scan_file_holds_its_coefficients(kind: int) -> None:
    """Count no coefficients of a sequential file with one scan, and all if a scan lacks a component."""
    assert read(write(64, 64, scan(range(3)), kind=kind)).coefficient_bytes == 0
    assert read(write(64, 64, scan([0, 1]), kind=kind)).coefficient_bytes == 128 * 3 * 64
    three = read(sequential_scans(64, 64, kind))
    assert (three.coefficient_bytes, three.pass_bytes) == (128 * 3 * 64, 3 * 128 * 3 * 64)


@pytest.mark.parametrize("kind", [ARITHMETIC, ARITHMETIC_PROGRESSIVE])
def test_arithmetic_coding_counts_more(kind: int) -> None:
    """Weight the passes of an arithmetic file, because they take long in a file of any size."""
    structure = read(write(64, 64, scan([0]), sampling=GRAY, kind=kind))
    assert structure.pass_bytes == jpeg.ARITHMETIC_WEIGHT * 128 * 64


def test_number_of_scans_is_limited() -> None:
    """Accept MAX_SCANS scans, and reject one more."""
    scans = scan([0]) * jpeg.MAX_SCANS
    assert read(write(64, 64, scans)).pass_bytes == jpeg.MAX_SCANS * 128 * 3 * 64
    with pytest.raises(ImageError, match="it has 65 JPEG scans, and 64 are allowed"):
        read(write(64, 64, scans, scan([0])))


def test_coefficients_of_all_scans_are_limited() -> None:
    """Accept one pass over 800 MB of coefficients, and reject two, because MAX_PASS_BYTES is between them."""
    assert read(write(20_000, 20_000, scan([0]), sampling=GRAY, kind=PROGRESSIVE)).pass_bytes == 800_000_000
    with pytest.raises(ImageError, match="its JPEG scans would take too long to decode"):
        read(write(20_000, 20_000, scan([0]) * 2, sampling=GRAY, kind=PROGRESSIVE))


def test_number_of_segments_is_limited() -> None:
    """Accept MAX_SEGMENTS segments up to the first scan, and reject one more."""
    count = jpeg.MAX_SEGMENTS - 5  # quantization table, two Huffman tables, frame, scan
    read(write(64, 64, segment(0xFE, b"") * count, scan(range(3))))
    with pytest.raises(ImageError, match="it has more than 1000 JPEG segments"):
        read(write(64, 64, segment(0xFE, b"") * (count + 1), scan(range(3))))


@pytest.mark.parametrize("marker", [0xDB, 0xC4, 0xDD, 0xE0, 0xEE])
def test_size_of_the_tables_is_limited(marker: int) -> None:
    """Reject a file with more than MAX_TABLE_BYTES of segments that decoding needs."""
    with pytest.raises(ImageError, match="its JPEG tables have more than 131072 bytes"):
        read(photo(segment(marker, bytes(65_000)) * 3))


WITHOUT_SCAN = {
    "signature": SOI + b"\xff",
    "start and end": SOI + EOI,
    "tables": SOI + tables(),
    "frame": SOI + tables() + frame(64, 64),
    "fill bytes": SOI + b"\xff" * 100_000,
    "stuffed bytes": SOI + b"\xff\0" * 100_000,
}


@pytest.mark.parametrize("name", WITHOUT_SCAN)
def test_file_without_a_scan_is_damaged(name: str) -> None:
    """Reject a file without a scan. Pillow would search every byte of it."""
    with pytest.raises(ImageError, match=r"damaged or truncated \(no scan\)"):
        read(WITHOUT_SCAN[name])


@pytest.mark.parametrize("length", [b"\0\0", b"\0\1", b"\xff\xff"])
@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xC0, 0xC4, 0xDB, 0xFE])
def test_impossible_length_is_damaged(marker: int, length: bytes) -> None:
    """Reject a length that libjpeg would read in another way, so that no frame hides from this module."""
    with pytest.raises(ImageError, match=r"damaged or truncated \(wrong segment length\)"):
        read(photo(bytes((0xFF, marker)) + length))


@pytest.mark.parametrize("seed", range(5))
def test_random_damage_raises_nothing_but_image_error(seed: int) -> None:
    """Read or reject 200 randomly damaged files, in bytes and in a bytearray alike."""
    rng = np.random.default_rng(seed)
    whole = np.frombuffer(PROGRESSIVE_PHOTO, np.uint8)
    for _ in range(200):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), rng.integers(1, 6))] = rng.choice([0, 0xFF, 0xDA, 0xD9, 0xC0, 2])
        results = []
        for buffer in (bytes(damaged), bytearray(damaged)):
            try:
                results.append(decode(buffer, MAX_BYTES).tobytes())
            except ImageError as error:
                results.append(str(error).encode())
        assert results[0] == results[1]
