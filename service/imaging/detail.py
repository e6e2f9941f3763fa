"""Decode parts of a large image again, at a resolution at which a small digit can be read."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from service.imaging import png
from service.imaging.buffers import open_buffer
from service.imaging.decode import PARSER_ERRORS, EncodedImage
from service.imaging.exif import rotate_upright
from service.imaging.gray import to_gray

DETAIL_SIDE = 1_280
"""Pixels per side that a JPEG file is decoded with at least. A PNG file has all of its pixels."""

Part = tuple[float, float, float, float]
"""Left, top, right and bottom in the upright image, as shares of its width and height, 0 to 1."""

STORED: dict[int, Callable[[float, float], tuple[float, float]]] = {  # EXIF orientation: upright x and y -> stored
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (y, 1 - x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (1 - y, x),
}


def decode_parts(image: EncodedImage, parts: Sequence[Part]) -> list[NDArray[np.uint8]]:
    """Decode parts of an image that was decoded before, as upright gray images, uint8 (h, w).

    It takes as much memory as decoding the whole image. Returns nothing if the file turns out to be damaged.
    """
    kind = PngImageFile if image.content.startswith(png.SIGNATURE) else JpegImageFile
    try:
        with kind(open_buffer(image.content)) as source:
            source.draft("L", (DETAIL_SIDE, DETAIL_SIDE))
            source.load()
            return [_decode_part(source, image.orientation, part) for part in parts]
    except PARSER_ERRORS:
        return []


def _decode_part(source: Image.Image, orientation: int, part: Part) -> NDArray[np.uint8]:
    left, top, right, bottom = part
    stored = STORED.get(orientation, STORED[1])
    corners = [stored(left, top), stored(right, bottom)]
    columns, rows = (sorted(axis) for axis in zip(*corners, strict=True))
    size = source.size
    box = (
        int(columns[0] * size[0]),
        int(rows[0] * size[1]),
        max(int(columns[0] * size[0]) + 1, round(columns[1] * size[0])),
        max(int(rows[0] * size[1]) + 1, round(rows[1] * size[1])),
    )
    return np.asarray(rotate_upright(to_gray(source.crop(box)), orientation))
