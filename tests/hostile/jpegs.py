"""JPEG files that are legal but rare, damaged, or costly."""

from functools import partial

from PIL import Image

from tests.hostile.exif import ORIENTATION, SHORT, overlapping_exif, tiff
from tests.hostile.jpeg_writer import (
    ARITHMETIC,
    ARITHMETIC_PROGRESSIVE,
    BASELINE,
    CMYK,
    EOI,
    GRAY,
    LOSSLESS,
    PHOTO,
    PROGRESSIVE,
    SOI,
    YCC,
    adobe,
    exif,
    filled,
    frame,
    hidden_frame,
    jpeg,
    photo,
    progressive,
    refined,
    refinements,
    repeated,
    scan,
    segment,
    sequential_scans,
    split_at_scan,
    tables,
)
from tests.hostile.png_writer import UPLOAD
from tests.hostile.pngs import Generators
from tests.images import SEVEN, encode

HEAD, SCAN = split_at_scan(PHOTO)
PROGRESSIVE_PHOTO = encode(SEVEN.convert("RGB").resize((400, 400)), "JPEG", progressive=True)
PROGRESSIVE_HEAD, PROGRESSIVE_SCANS = split_at_scan(PROGRESSIVE_PHOTO)

MULTI_SCAN: Generators = {
    "sequential in three scans, 9400 x 9400": partial(sequential_scans, 9_400, 9_400),
    "baseline in three scans, 9400 x 9400": partial(sequential_scans, 9_400, 9_400, BASELINE),
    "arithmetic in three scans, 9400 x 9400": partial(sequential_scans, 9_400, 9_400, ARITHMETIC),
    "lossless in three scans, 9400 x 9400": partial(sequential_scans, 9_400, 9_400, LOSSLESS),
    "sequential in three scans, as large as allowed": partial(sequential_scans, 2_800, 2_800, data=40_000),
    "sequential in three scans, 1-bit samplings": partial(sequential_scans, 9_400, 9_400, sampling=((4, 4), *GRAY * 2)),
    "four scans of CMYK": partial(sequential_scans, 2_400, 2_400, sampling=CMYK, data=100_000),
    "one scan of two components": lambda: jpeg(9_400, 9_400, scan([0, 1]), scan([2])),
    "first scan of one component, then none": lambda: jpeg(2_000, 2_000, scan([0], bytes(1_000))),
    "progressive, 20000 x 20000": partial(progressive, 20_000, 20_000, 2),
    "progressive, 400 scans, cheap": partial(progressive, 320, 320, 400, 10),
    "progressive, 60 scans, cheap": partial(progressive, 320, 320, 60, 10),
    "progressive, 8,000 scans": partial(progressive, 4_000, 4_000, 8_000, 10),
    "progressive, 64 scans, large": partial(progressive, 4_800, 4_800, 64, 100),
    "progressive, 64 scans, large, arithmetic": partial(progressive, 4_800, 4_800, 64, 100, ARITHMETIC_PROGRESSIVE),
    "progressive, 63 refinements of nothing": partial(refinements, 4_800, 4_800, 63),
    "progressive, 20 refinements of nothing": partial(refinements, 4_800, 4_800, 20),
    "progressive, refined in 60 scans": partial(refined, 3_500, 3_500, 60, UPLOAD),
    "progressive, refined in 13 scans": partial(refined, 3_500, 3_500, 13, UPLOAD),
    "progressive, refined in 60 scans, cheap": partial(refined, 320, 320, 60, 40_000),
    "progressive photo": lambda: PROGRESSIVE_PHOTO,
    "progressive photo, one scan 60 times": lambda: PROGRESSIVE_HEAD + PROGRESSIVE_SCANS[:-2] * 6 + EOI,
}

ONE_SCAN: Generators = {
    "baseline, 20000 x 20000": lambda: jpeg(20_000, 20_000, scan(range(3), bytes(100))),
    "baseline, 20000 x 20000, with data": lambda: jpeg(20_000, 20_000, scan(range(3), bytes(UPLOAD))),
    "baseline, 65500 x 65500": lambda: jpeg(65_500, 65_500, scan(range(3), bytes(UPLOAD))),
    "baseline, gray, 20000 x 20000": lambda: jpeg(20_000, 20_000, scan([0], bytes(100)), sampling=GRAY),
    "baseline, filled": partial(filled, 20_000, 20_000, data=bytes(UPLOAD)),
    "baseline, filled, not reduced": partial(filled, 639, 20_000, data=bytes(UPLOAD)),
    "baseline, filled, color": partial(filled, 20_000, 20_000, sampling=YCC, data=bytes(UPLOAD)),
    "frame hidden behind a segment of length zero": lambda: hidden_frame(b"\0\0"),
    "frame hidden behind a segment of length one": lambda: hidden_frame(b"\0\1"),
    "baseline, 2560 x 2560, cheap": lambda: jpeg(2_560, 2_560, scan(range(3), bytes(10_000))),
    "baseline, CMYK, 15000 x 15000": lambda: jpeg(15_000, 15_000, scan(range(4), bytes(100)), sampling=CMYK),
    "lossless, 20000 x 20000": lambda: jpeg(20_000, 20_000, scan([0], bytes(100)), sampling=GRAY, kind=LOSSLESS),
    "lossless, 6000 x 6000": lambda: jpeg(6_000, 6_000, scan([0], bytes(100), (1, 0)), sampling=GRAY, kind=LOSSLESS),
    "one row": lambda: jpeg(20_000, 1, scan(range(3), bytes(10_000))),
    "one column": lambda: jpeg(1, 20_000, scan(range(3), bytes(10_000))),
    "one column of 65535": lambda: jpeg(1, 65_535, scan(range(3), bytes(10_000))),
    **{
        f"arithmetic, bytes of {value:#x}": partial(filled, 20_000, 20_000, ARITHMETIC, YCC, bytes([value]) * 1_000)
        for value in (0, 0x55, 0xAA, 0xFE)
    },
    "arithmetic, cheap": partial(filled, 2_560, 2_560, ARITHMETIC, YCC, b"\x55" * 1_000),
    **{
        f"sampling {first} and {rest}": partial(filled, 256, 256, BASELINE, (first, rest, rest))
        for first in ((4, 4), (4, 1), (1, 4), (3, 3), (4, 2), (1, 1), (0, 1), (5, 5), (15, 15))
        for rest in ((1, 1), (2, 1), (3, 2), (0, 0))
    },
    "four components of sampling 4 x 4": partial(filled, 256, 256, BASELINE, ((4, 4),) * 4),
}

SEGMENTS: Generators = {
    "APP1 of 9.9 MB": partial(repeated, segment(0xE1, bytes(65_000))),
    "empty APP1 of 9.9 MB": partial(repeated, segment(0xE1, b"")),
    "COM of 9.9 MB": partial(repeated, segment(0xFE, bytes(65_000))),
    "empty COM of 9.9 MB": partial(repeated, segment(0xFE, b"")),
    "1,000 empty COM": partial(repeated, segment(0xFE, b""), 3_800),
    "ICC profile of 9.9 MB": partial(repeated, segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(65_000))),
    "Photoshop resources": partial(repeated, segment(0xED, b"Photoshop 3.0\0" + b"8BIM\0\1\0\0\0\0\0\0" * 5_000)),
    "JFIF of 9.9 MB": partial(repeated, segment(0xE0, b"JFIF\0" + bytes(65_000))),
    "Adobe of 9.9 MB": partial(repeated, segment(0xEE, b"Adobe" + bytes(65_000))),
    "fill bytes of 9.9 MB": partial(repeated, b"\xff"),
    "fill bytes of 60 KB": partial(repeated, b"\xff", 60_000),
    "fill bytes and nothing else": lambda: SOI + b"\xff" * UPLOAD,
    "stuffed bytes of 9.9 MB": partial(repeated, b"\xff\0"),
    "stuffed bytes and nothing else": lambda: SOI + b"\xff\0" * (UPLOAD // 2),
    "junk of 9.9 MB": partial(repeated, b"\0"),
    "restart markers of 9.9 MB": partial(repeated, b"\xff\xd0"),
    "restart markers and nothing else": lambda: SOI + b"\xff\xd0" * (UPLOAD // 2),
    "quantization tables of 9.9 MB": partial(repeated, segment(0xDB, (b"\0" + bytes(64)) * 1_000)),
    "900 Huffman tables": partial(repeated, tables()[69:], 900 * 21),
    "Huffman tables of 9.9 MB": partial(repeated, segment(0xC4, (b"\0\1" + bytes(15) + b"\0") * 3_000)),
    "restart intervals": partial(repeated, segment(0xDD, b"\0\1"), 5_000),
    "restart interval of one": lambda: HEAD + segment(0xDD, b"\0\1") + SCAN,
    "restart markers without data": lambda: jpeg(
        20_000, 20_000, segment(0xDD, b"\0\1"), scan(range(3), b"\0" + b"\xff\xd5" * (UPLOAD // 2 - 1_000))
    ),
    "restart markers in the scan": lambda: HEAD + SCAN[:-2] + b"\xff\xd3" * 4_000_000 + EOI,
    "fill bytes in the scan": lambda: HEAD + SCAN[:30] + b"\xff" * UPLOAD + SCAN[30:],
    "fill bytes in the scan, one by one": lambda: HEAD + SCAN[:30] + b"\0\xff\xff\0" * (UPLOAD // 4) + SCAN[30:],
    "segments behind the scan": lambda: PHOTO[:-2] + segment(0xFE, b"") * 2_000_000 + EOI,
    "segments between scans": lambda: jpeg(64, 64, scan([0]), segment(0xFE, b"") * 2_000_000, scan([1]), scan([2])),
    "Huffman tables between scans": lambda: jpeg(64, 64, scan([0]), tables() * 80_000, scan([1]), scan([2])),
    "bytes behind the end": lambda: PHOTO + bytes(UPLOAD - len(PHOTO)),
    "scans behind the end": lambda: PHOTO + SCAN * 1_000,
    "another image behind the end": lambda: PHOTO * 100,
    "EXIF of 9.9 MB": lambda: photo(exif(tiff((ORIENTATION, SHORT, 1, 6), size=9_900_000))),
    "EXIF entries that overlap": lambda: photo(exif(overlapping_exif(65_000))),
    "EXIF entries that overlap, 9.9 MB": lambda: photo(exif(overlapping_exif(9_900_000))),
    "EXIF that is empty": lambda: photo(segment(0xE1, b"Exif\0\0")),
    "EXIF whose directory is itself": lambda: photo(exif(tiff((0x8769, 4, 1, 8), (ORIENTATION, SHORT, 1, 99)))),
    "EXIF with a thumbnail": lambda: photo(exif(tiff((ORIENTATION, SHORT, 1, 1)) + PHOTO)),
    "multi-image format": lambda: encode(SEVEN.convert("RGB"), "MPO", save_all=True, append_images=[SEVEN] * 3),
    "scan inside a comment": lambda: photo(segment(0xFE, SCAN)),
    "frame inside a comment": lambda: photo(segment(0xFE, frame(9_400, 9_400, kind=PROGRESSIVE))),
}

DAMAGED: Generators = {
    "signature alone": lambda: SOI + b"\xff",
    "start and end": lambda: SOI + b"\xff" + EOI,
    "no scan": lambda: HEAD,
    "no scan, but an end": lambda: HEAD + EOI,
    "no frame": lambda: SOI + tables() + scan([0], bytes(100)) + EOI,
    "no tables": lambda: SOI + frame(64, 64) + scan(range(3), bytes(100)) + EOI,
    "no Huffman tables": lambda: SOI + tables()[:69] + frame(64, 64) + scan(range(3), bytes(100)) + EOI,
    "no end": lambda: PHOTO[:-2],
    "two frames": lambda: SOI + tables() + frame(64, 64) + frame(20_000, 20_000) + scan(range(3), bytes(100)) + EOI,
    "two frames, the first larger": lambda: (
        SOI + tables() + frame(9_000, 9_000, kind=PROGRESSIVE) + frame(64, 64) + scan(range(3), bytes(100)) + EOI
    ),
    "frame behind the scan": lambda: PHOTO[:-2] + frame(20_000, 20_000) + SCAN,
    "width of zero": lambda: jpeg(0, 64, scan(range(3), bytes(100))),
    "height of zero": lambda: jpeg(64, 0, scan(range(3), bytes(100))),
    "height by DNL": lambda: jpeg(64, 0, scan(range(3), bytes(100)), segment(0xDC, b"\0\x40")),
    "another height by DNL": lambda: jpeg(64, 64, scan(range(3), bytes(100)), segment(0xDC, b"\xff\xff")),
    "no components": lambda: jpeg(64, 64, scan([]), sampling=()),
    "no components, progressive": lambda: jpeg(64, 64, scan([]), sampling=(), kind=PROGRESSIVE),
    "two components": lambda: jpeg(64, 64, scan(range(2), bytes(100)), sampling=GRAY * 2),
    "255 components": lambda: jpeg(64, 64, scan(range(3), bytes(100)), sampling=GRAY * 255),
    "more components declared than listed": lambda: (
        SOI + tables() + frame(64, 64, GRAY, declared=3) + scan([0], bytes(100)) + EOI
    ),
    "scan of a component that does not exist": lambda: jpeg(64, 64, scan([7], bytes(100))),
    "scan of one component twice": lambda: jpeg(64, 64, scan([0, 0, 0], bytes(100))),
    "scan of 255 components": lambda: jpeg(64, 64, scan(range(255), bytes(100))),
    "12 bits": lambda: SOI + tables() + frame(64, 64, precision=12) + scan(range(3), bytes(100)) + EOI,
    "hierarchical": lambda: jpeg(64, 64, scan(range(3), bytes(100)), kind=0xC5),
    "every kind of frame": lambda: SOI + tables() + b"".join(frame(64, 64, kind=kind) for kind in range(0xC0, 0xD0)),
    "segment of length zero": lambda: SOI + b"\xff\xe1\0\0" + PHOTO[2:],
    "segment of length one": lambda: SOI + b"\xff\xe1\0\1" + PHOTO[2:],
    "segment beyond the end": lambda: SOI + b"\xff\xe1\xff\xff" + PHOTO[2:],
    "frame of two bytes": lambda: SOI + b"\xff\xc0\0\2" + PHOTO[2:],
    "frame of eight bytes": lambda: SOI + b"\xff\xc0\0\x0a\x08\0\x40\0\x40\3\1\x11" + PHOTO[2:],
    "Huffman table of 1,000 codes": lambda: photo(segment(0xC4, b"\0" + b"\xff" * 16 + bytes(1_000))),
    "spectral band that does not exist": lambda: jpeg(64, 64, scan(range(3), bytes(100), (63, 99)), kind=PROGRESSIVE),
    **{f"Adobe transform {n}, four components": partial(adobe, n) for n in (0, 1, 2, 255)},
    **{f"Adobe transform {n}, three components": partial(adobe, n, YCC) for n in (0, 1, 2, 255)},
    "CMYK photo": lambda: encode(SEVEN.convert("RGB").convert("CMYK"), "JPEG"),
    "RGB photo": lambda: encode(SEVEN.convert("RGB"), "JPEG", keep_rgb=True),
    "photo of odd size": lambda: encode(SEVEN.convert("RGB").resize((33, 57)), "JPEG", subsampling=2),
    "photo with restart markers": lambda: encode(SEVEN.convert("RGB"), "JPEG", restart_marker_blocks=1),
    "thin photo": lambda: encode(Image.linear_gradient("L").resize((3, 20_000)), "JPEG"),
}

JPEGS: Generators = {**MULTI_SCAN, **ONE_SCAN, **SEGMENTS, **DAMAGED}
