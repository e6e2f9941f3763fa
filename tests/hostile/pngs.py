"""PNG files that are legal but rare, damaged, or costly."""

import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from tests.hostile.exif import ORIENTATION, SHORT, overlapping_exif, tiff
from tests.hostile.masks import MASKS, Draw
from tests.hostile.png_writer import (
    END,
    GRAY,
    GRAY_ALPHA,
    MAX_SIDE,
    PALETTE,
    PLTE,
    RGB,
    RGBA,
    SEVEN_DATA,
    SEVEN_HEADER,
    SIDE,
    SIGNATURE,
    UPLOAD,
    chunk,
    deflate,
    drawing,
    file,
    header,
    idats,
    itxt,
    large,
    large_noise,
    rows,
    seven,
)
from tests.images import SEVEN, encode, png

Generators = dict[str, Callable[[], bytes]]

EMOJI = "\U0001f600".encode()


def noise(width: int, height: int) -> bytes:
    """Write white noise."""
    return png(np.random.default_rng(0).integers(0, 256, (height, width), np.uint8))


def drawn(draw: Draw) -> bytes:
    """Write a mask."""
    return png(draw())


TRANSPARENT: Generators = {
    "tRNS on 1-bit gray": lambda: drawing(1, GRAY, chunk(b"tRNS", b"\0\1")),
    "tRNS on 2-bit gray": lambda: drawing(2, GRAY, chunk(b"tRNS", b"\0\1")),
    "tRNS on 8-bit gray": lambda: encode(SEVEN, transparency=255),
    "tRNS on 16-bit gray": lambda: drawing(16, GRAY, chunk(b"tRNS", b"\0\1")),
    "tRNS on RGB": lambda: encode(SEVEN.convert("RGB"), transparency=(255, 255, 255)),
    "tRNS on 16-bit RGB": lambda: drawing(16, RGB, chunk(b"tRNS", bytes(6))),
    "tRNS on a palette": lambda: drawing(8, PALETTE, PLTE + chunk(b"tRNS", bytes(range(256)))),
    "tRNS that is empty": lambda: drawing(8, GRAY, chunk(b"tRNS", b"")),
    "tRNS of one byte on gray": lambda: drawing(8, GRAY, chunk(b"tRNS", b"\0")),
    "tRNS of one byte on RGB": lambda: drawing(8, RGB, chunk(b"tRNS", b"\0")),
    "tRNS beyond the gray levels": lambda: drawing(8, GRAY, chunk(b"tRNS", b"\xff\xff")),
    "tRNS longer than its palette": lambda: drawing(8, PALETTE, chunk(b"PLTE", bytes(3)) + chunk(b"tRNS", bytes(300))),
    "tRNS on gray with alpha": lambda: drawing(8, GRAY_ALPHA, chunk(b"tRNS", b"\0\1")),
    "tRNS on RGBA": lambda: drawing(8, RGBA, chunk(b"tRNS", bytes(6))),
    "tRNS before the palette": lambda: drawing(8, PALETTE, chunk(b"tRNS", b"\0") + PLTE),
    "tRNS after the image": lambda: drawing(8, GRAY, after=chunk(b"tRNS", b"\0\1")),
    "tRNS twice": lambda: drawing(8, GRAY, chunk(b"tRNS", b"\0\1") * 2),
}

COLORS: Generators = {
    **{f"{depth}-bit palette without PLTE": partial(drawing, depth, PALETTE) for depth in (1, 2, 4, 8)},
    **{f"{depth}-bit gray": partial(drawing, depth, GRAY) for depth in (1, 2, 4, 16)},
    **{f"interlaced {depth}-bit gray": partial(drawing, depth, GRAY, interlace=1) for depth in (1, 2, 4, 8, 16)},
    "16-bit RGB": lambda: drawing(16, RGB),
    "16-bit RGBA": lambda: drawing(16, RGBA),
    "16-bit gray with alpha": lambda: drawing(16, GRAY_ALPHA),
    "palette index beyond its end": lambda: drawing(8, PALETTE, chunk(b"PLTE", b"\1\2\3")),
    "palette of two bytes": lambda: drawing(8, PALETTE, chunk(b"PLTE", b"\1\2")),
    "empty palette": lambda: drawing(8, PALETTE, chunk(b"PLTE", b"")),
    "palette of 9.9 MB": lambda: drawing(8, PALETTE, chunk(b"PLTE", bytes(UPLOAD))),
    "palette after the image": lambda: drawing(8, PALETTE, after=PLTE),
    "two palettes": lambda: drawing(8, PALETTE, PLTE * 2),
    "palette of a gray image": lambda: drawing(8, GRAY, PLTE),
    "color type that does not exist": lambda: file(header(SIDE, SIDE, 8, 5), chunk(b"IDAT", SEVEN_DATA), END),
    "bit depth that does not exist": lambda: file(header(SIDE, SIDE, 3), chunk(b"IDAT", SEVEN_DATA), END),
    "transparent everywhere": lambda: encode(Image.new("RGBA", SEVEN.size)),
}

DAMAGED: Generators = {
    "signature alone": lambda: SIGNATURE,
    "signature and IEND": lambda: file(END),
    "no IHDR": lambda: file(chunk(b"IDAT", SEVEN_DATA), END),
    "IHDR of 12 bytes": lambda: file(chunk(b"IHDR", bytes(12)), chunk(b"IDAT", SEVEN_DATA), END),
    "IHDR twice": lambda: file(SEVEN_HEADER, header(3, 3), chunk(b"IDAT", SEVEN_DATA), END),
    "IHDR after the image": lambda: seven(after=header(9_000, 9_000) + END),
    "width of zero": lambda: file(header(0, 100), chunk(b"IDAT", SEVEN_DATA), END),
    "height of zero": lambda: file(header(100, 0), chunk(b"IDAT", SEVEN_DATA), END),
    "height of two billion": lambda: file(header(1, 2**31 - 1), chunk(b"IDAT", SEVEN_DATA), END),
    "width of four billion": lambda: file(header(2**32 - 1, 1), chunk(b"IDAT", SEVEN_DATA), END),
    "no IDAT": lambda: file(SEVEN_HEADER, END),
    "empty IDAT": lambda: seven(data=chunk(b"IDAT", b"")),
    "IDAT after IEND": lambda: file(SEVEN_HEADER, END, chunk(b"IDAT", SEVEN_DATA)),
    "no IEND": lambda: seven(after=b""),
    "IDAT that declares less": lambda: seven(data=chunk(b"IDAT", SEVEN_DATA, len(SEVEN_DATA) - 20)),
    "IDAT that declares more": lambda: seven(data=chunk(b"IDAT", SEVEN_DATA, len(SEVEN_DATA) + 20)),
    "IDAT that declares 2 GB": lambda: seven(data=chunk(b"IDAT", SEVEN_DATA, 2**31)),
    "IDAT that declares 4 GB": lambda: seven(data=chunk(b"IDAT", SEVEN_DATA, 2**32 - 1)),
    "wrong checksums": lambda: seven()[:-10] + bytes(10),
    "filter type that does not exist": lambda: file(
        SEVEN_HEADER, chunk(b"IDAT", zlib.compress(rows(*SEVEN.size, 8, filter_type=9))), END
    ),
    "image data that is not deflated": lambda: seven(data=chunk(b"IDAT", bytes(1000))),
    "image data that ends early": lambda: seven(data=chunk(b"IDAT", zlib.compress(bytes(500)))),
    "image data on both sides of a text": lambda: seven(
        data=chunk(b"IDAT", SEVEN_DATA[:99]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", SEVEN_DATA[99:])
    ),
    "more image data than pixels": lambda: seven(data=idats(SEVEN_DATA, 40) * 2),
    "unknown critical chunk": lambda: seven(chunk(b"ABCD", b"x")),
    "chunk name that is not text": lambda: seven(chunk(b"\xff\0\1\2", b"x")),
    "zeros after IEND": lambda: seven() + bytes(100_000),
}

METADATA: Generators = {
    "63 iTXt chunks of emoji": lambda: seven(itxt(63, EMOJI * 38_000)),
    "iTXt chunks that inflate": lambda: seven(
        b"".join(chunk(b"iTXt", b"k%d\0\1\0\0\0" % n + zlib.compress(EMOJI * 262_143)) for n in range(63))
    ),
    "zTXt chunks that inflate": lambda: seven(b"".join(chunk(b"zTXt", b"k%d\0\0" % n + deflate(1)) for n in range(63))),
    "iCCP that inflates": lambda: seven(chunk(b"iCCP", b"p\0\0" + deflate(2_000))),
    "1,000 iCCP chunks": lambda: seven(chunk(b"iCCP", b"p\0\0" + deflate(1)) * 1_000),
    "tEXt of 9.9 MB": lambda: seven(chunk(b"tEXt", b"k\0" + b"x" * UPLOAD)),
    "empty chunks of 9.9 MB": lambda: seven(chunk(b"tEXt", b"") * (UPLOAD // 12)),
    "private chunks of 9.9 MB": lambda: seven(chunk(b"prVt", b"") * (UPLOAD // 12)),
    "9,000 private chunks": lambda: seven(chunk(b"prVt", b"") * 9_000),
    "9,000 tRNS chunks": lambda: seven(chunk(b"tRNS", b"\0\1") * 9_000),
    "9,000 IHDR chunks": lambda: seven(SEVEN_HEADER * 9_000),
    "1,000 small IDATs, cheap": lambda: seven(data=idats(SEVEN_DATA, 1)),
    "EXIF of 9.9 MB": lambda: seven(chunk(b"eXIf", tiff((ORIENTATION, SHORT, 1, 6), size=UPLOAD - 10_000))),
    "EXIF entries that overlap": lambda: seven(chunk(b"eXIf", overlapping_exif(65_000))),
    "EXIF entries that overlap, 9.9 MB": lambda: seven(chunk(b"eXIf", overlapping_exif(UPLOAD - 10_000))),
    "EXIF in 9,000 chunks": lambda: seven(chunk(b"eXIf", tiff((ORIENTATION, SHORT, 1, 6))) * 9_000),
    "APNG of two billion frames": lambda: seven(chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
    "APNG": lambda: encode(SEVEN, save_all=True, append_images=[SEVEN.resize((120, 120))] * 3),
    "APNG with a default image": lambda: encode(SEVEN, save_all=True, append_images=[SEVEN] * 3, default_image=True),
}

COSTLY: Generators = {
    "9,000 IDATs of one byte": lambda: file(
        header(300, 30), idats(zlib.compress(rows(300, 30, 8, seed=0), 0)[:9_000], 1), END
    ),
    "100,000 IDATs of one byte": lambda: file(
        header(400, 400), idats(zlib.compress(rows(400, 400, 8, seed=0), 0), 1), END
    ),
    "9,900 empty IDATs": lambda: seven(data=chunk(b"IDAT", b"") * 9_900 + chunk(b"IDAT", SEVEN_DATA)),
    "deflate bomb behind a small image": lambda: file(header(28, 28), chunk(b"IDAT", deflate(5_000)), END),
    "deflate bomb of stored blocks": lambda: file(
        header(28, 28), chunk(b"IDAT", b"\x78\1" + b"\0\0\0\xff\xff" * 1_900_000), END
    ),
    "largest gray": lambda: large(MAX_SIDE, 2_400),
    "largest gray, half of it noise": lambda: large_noise(MAX_SIDE, 2_400),
    "largest gray with a private chunk, half of it noise": lambda: (
        large_noise(MAX_SIDE, 2_400)[:-12] + chunk(b"prVt", b"") + END
    ),
    "private chunks among 9.9 MB": lambda: seven(
        data=b"".join(chunk(b"IDAT", bytes(2_000)) + chunk(b"prVt", b"") for _ in range(4_900))
    ),
    "largest gray, tall": lambda: large(2_400, MAX_SIDE),
    "largest gray, Paeth": lambda: large(MAX_SIDE, 2_400, filter_type=4),
    "largest gray, average": lambda: large(MAX_SIDE, 2_400, filter_type=3),
    "largest gray, interlaced": lambda: large(7_000, 7_000, interlace=1),
    "largest gray, interlaced, Paeth": lambda: large(7_000, 7_000, filter_type=4, interlace=1),
    "largest 16-bit RGBA, Paeth": lambda: large(3_140, 3_140, 16, RGBA, filter_type=4),
    "largest 1-bit": lambda: large(MAX_SIDE, 1_200, 1),
    "largest 1-bit, interlaced": lambda: large(4_900, 4_900, 1, interlace=1),
    "largest palette": lambda: large(MAX_SIDE, 1_200, 8, PALETTE),
    "largest 16-bit gray": lambda: large(MAX_SIDE, 480, 16),
    "largest RGB": lambda: large(MAX_SIDE, 600, 8, RGB),
    "largest RGB, interlaced": lambda: large(3_500, 3_500, 8, RGB, interlace=1),
    "largest 16-bit RGB": lambda: large(MAX_SIDE, 600, 16, RGB),
    "largest RGBA": lambda: large(MAX_SIDE, 490, 8, RGBA),
    "largest gray with alpha": lambda: large(MAX_SIDE, 490, 8, GRAY_ALPHA),
    "largest that is not reduced, RGBA": lambda: large(638, 638, 8, RGBA),
    "one row": lambda: large(MAX_SIDE, 1),
    "one column": lambda: large(1, MAX_SIDE),
    "one row of noise": lambda: noise(MAX_SIDE, 1),
    "one column of noise": lambda: noise(1, MAX_SIDE),
    "twenty columns of noise": lambda: noise(20, MAX_SIDE),
    "one row of 9.7 million": lambda: large(9_700_000, 1),
    "one column of 9.7 million": lambda: file(header(1, 9_700_000), chunk(b"IDAT", deflate(20)), END),
    "30,000 x 30,000": lambda: file(header(30_000, 30_000), chunk(b"IDAT", deflate(901)), END),
    **{f"mask: {name}": partial(drawn, mask) for name, mask in MASKS.items()},
}

MAX_KEPT_BYTES = 200_000


def _write_once(generate: Callable[[], bytes]) -> Callable[[], bytes]:
    """Keep a small file after it was first written: compressing its 50 MB takes longer than the tests of it."""
    kept: list[bytes] = []

    def write() -> bytes:
        if kept:
            return kept[0]
        content = generate()
        if len(content) <= MAX_KEPT_BYTES:
            kept.append(content)
        return content

    return write


ALL = {**TRANSPARENT, **COLORS, **DAMAGED, **METADATA, **COSTLY}
PNGS: Generators = {name: _write_once(generate) for name, generate in ALL.items()}
