"""A PNG file keeps the chunks that decoding needs, and the others cost nothing."""

import numpy as np
import pytest

from service.errors import ImageError
from service.imaging import png
from service.imaging.buffers import Buffer
from service.imaging.decode import decode
from tests.hostile.exif import ORIENTATION, SHORT, tiff
from tests.hostile.png_writer import END, PLTE, SEVEN_DATA, SEVEN_HEADER, chunk, file, idats, seven
from tests.images import SEVEN

MAX_BYTES = 50_000_000
GRAY = np.asarray(SEVEN)
DATA = chunk(b"IDAT", SEVEN_DATA)
BARE = file(SEVEN_HEADER, DATA, END)


@pytest.mark.parametrize("buffer", [bytes, bytearray])
def test_file_without_other_chunks_is_kept_as_it_is(buffer: type[Buffer]) -> None:
    """Return the same object, upright and without the costs of a JPEG file."""
    image_bytes = buffer(BARE)
    structure = png.read_structure(image_bytes)
    assert structure.content is image_bytes
    assert (structure.orientation, structure.coefficient_bytes, structure.pass_bytes) == (1, 0, 0)


ANCILLARY = [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"acTL", b"fcTL", b"fdAT", b"eXIf", b"prVt", b"QQQQ", b"\0\xff\n\n"]


@pytest.mark.parametrize("buffer", [bytes, bytearray])
@pytest.mark.parametrize("kind", ANCILLARY)
def test_chunk_that_decoding_ignores_is_dropped(kind: bytes, buffer: type[Buffer]) -> None:
    """Drop text, profiles, animations and unknown chunks, wherever they are."""
    other = chunk(kind, b"x" * 100)
    whole = file(other, SEVEN_HEADER, other, other, DATA, other, END)
    assert png.read_structure(buffer(whole)).content == BARE


@pytest.mark.parametrize("kind", [b"PLTE", b"tRNS"])
def test_chunk_that_decoding_needs_is_kept(kind: bytes) -> None:
    """Keep palette and transparency."""
    whole = file(SEVEN_HEADER, PLTE if kind == b"PLTE" else chunk(kind, b"\0\0"), DATA, END)
    assert png.read_structure(whole).content == whole


@pytest.mark.parametrize("buffer", [bytes, bytearray])
def test_rest_behind_the_end_is_dropped(buffer: type[Buffer]) -> None:
    """Drop what follows IEND: it is neither decoded nor counted."""
    assert png.read_structure(buffer(BARE + bytes(1_000))).content == BARE
    assert png.read_structure(buffer(BARE + BARE)).content == BARE


@pytest.mark.parametrize("position", ["before", "after"])
def test_orientation_is_read_from_exif_data(position: str) -> None:
    """Read the orientation before or after the image data."""
    exif = chunk(b"eXIf", tiff((ORIENTATION, SHORT, 1, 6)))
    whole = seven(exif) if position == "before" else seven(after=exif + END)
    assert png.read_structure(whole).orientation == 6
    assert np.array_equal(decode(whole, MAX_BYTES), np.rot90(GRAY, -1))


def test_truncated_file_is_kept_as_far_as_it_goes() -> None:
    """Keep every byte of a truncated file: decoding it gives the error."""
    for length in range(len(png.SIGNATURE), len(BARE)):
        assert png.read_structure(BARE[:length]).content == BARE[:length]


@pytest.mark.parametrize("declared", [1_000, 2**31 - 1, 2**31, 2**32 - 1])
def test_chunk_beyond_the_end_is_dropped_or_kept_like_any_other(declared: int) -> None:
    """Drop the rest of a file with an ancillary chunk that is longer than the file, and keep a needed one."""
    text, data = chunk(b"tEXt", b"x" * 99, declared), chunk(b"IDAT", SEVEN_DATA, declared)
    assert png.read_structure(file(SEVEN_HEADER, text)).content == file(SEVEN_HEADER)
    assert png.read_structure(file(SEVEN_HEADER, data)).content == file(SEVEN_HEADER, data)


def test_number_of_chunks_is_limited() -> None:
    """Accept MAX_CHUNKS chunks, and reject one more, of any kind."""
    others = png.MAX_CHUNKS - 3
    for other in (chunk(b"tEXt", b""), chunk(b"IDAT", b"")):
        assert np.array_equal(decode(seven(other * others), MAX_BYTES), GRAY)
        with pytest.raises(ImageError, match="it has more than 10000 PNG chunks"):
            png.read_structure(seven(other * (others + 1)))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_image_data_may_be_split_and_interrupted(size: int) -> None:
    """Decode image data in chunks of any size, with text between them."""
    pieces = [SEVEN_DATA[start : start + size] for start in range(0, len(SEVEN_DATA), size)]
    interrupted = b"".join(chunk(b"IDAT", piece) + chunk(b"tEXt", b"a\0b") for piece in pieces)
    for data in (idats(SEVEN_DATA, size), interrupted):
        assert np.array_equal(decode(seven(data=data), MAX_BYTES), GRAY)
