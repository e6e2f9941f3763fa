"""Decode PNG and JPEG bytes into a gray image with Pillow."""

import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from service.errors import ImageError
from service.imaging import cost, dc_scans, jpeg, png
from service.imaging.buffers import Buffer, open_buffer
from service.imaging.drawing import reduce_drawing
from service.imaging.exif import MIN_TURNED, rotate_upright
from service.imaging.gray import TARGET_SIDE, has_contrast, to_gray
from service.imaging.png_pixels import decode_pixels
from service.imaging.structure import Structure

MAX_COLOR_SECONDS = 0.1
"""Estimated time of a JPEG file that is decoded again in color if its brightness shows no ink."""

PARSER_ERRORS = (  # what Pillow's parsers raise on malformed files
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    MemoryError,
    struct.error,
    zlib.error,
)

# Pillow warns about damaged metadata. Clients must not be able to fill the log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def has_image_signature(image_bytes: Buffer) -> bool:
    """Return whether the bytes start as a PNG or a JPEG file does."""
    return image_bytes.startswith((png.SIGNATURE, jpeg.SIGNATURE))


def decode(image_bytes: Buffer, max_bytes: int) -> NDArray[np.uint8]:
    """Open and decode a PNG or JPEG file into an upright gray image, uint8 (H, W), 0 = black.

    Raises ImageError if the bytes are not such a file, are damaged, or would take more than `max_bytes` of memory
    to decode.
    """
    return open_image(image_bytes, max_bytes).decode()


@dataclass(slots=True)
class EncodedImage:
    """A PNG or JPEG file whose headers have been read.

    content: the file without the parts that decoding ignores. orientation: as in EXIF. decode_bytes: estimated memory
    that decoding takes. decode_seconds: estimated time that it takes. is_cheap: whether decoding and preprocessing take
    at most a few milliseconds. size: width and height of the whole image as it is stored, in pixels. dc_frame: the
    frame segment of a progressive JPEG file if only its DC coefficients show. has_color: whether a JPEG file may be
    decoded again in color if its brightness shows no ink.
    """

    content: Buffer
    image: ImageFile.ImageFile
    orientation: int
    decode_bytes: int
    decode_seconds: float
    is_cheap: bool
    size: tuple[int, int]
    dc_frame: bytes = b""
    has_color: bool = False

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height of the whole image in pixels, turned upright."""
        return self.size if self.orientation < MIN_TURNED else self.size[::-1]

    @property
    def pixels(self) -> int:
        """The number of pixels after decoding, before they are reduced further."""
        return self.image.width * self.image.height

    def decode(self) -> NDArray[np.uint8]:
        """Decode into an upright gray image, uint8 (H, W), 0 = black. Raises ImageError if the file is damaged.

        A large image is reduced by an integer factor: a square one to between TARGET_SIDE and twice that per side.
        The decoded pixels are released, so it can be called once.
        """
        try:
            gray = reduce_drawing(self._load_gray())
            return np.asarray(rotate_upright(gray, self.orientation))
        except PARSER_ERRORS as error:
            raise _damaged(error) from error
        finally:
            self.image.close()

    def _load_gray(self) -> Image.Image:
        """Decode the brightness, or another channel of a color image whose ink is as bright as its page."""
        if pixels := decode_pixels(self.image, self.content):
            return to_gray(pixels)
        content = self.content
        if self.dc_frame and (shorter := dc_scans.keep_dc_scans(content, self.dc_frame)):
            content = shorter  # fewer scans: a sixth of the time, for the same pixels
            self._reopen(content, "L")
        self.image.load()
        gray = to_gray(self.image)
        is_quick = content is not self.content or self.decode_seconds <= MAX_COLOR_SECONDS
        if not (self.has_color and is_quick) or has_contrast(gray):
            return gray
        self._reopen(content, "RGB")
        return to_gray(self.image)

    def _reopen(self, content: Buffer, mode: str) -> None:
        """Open a JPEG file again, to be decoded in mode L or RGB."""
        self.image.close()
        self.image = JpegImageFile(open_buffer(content))
        self.image.draft(mode, (TARGET_SIDE, TARGET_SIDE))


def open_image(image_bytes: Buffer, max_bytes: int) -> EncodedImage:
    """Read the headers of a PNG or JPEG file and bound the cost of decoding it. A bytearray may be changed in place.

    Raises ImageError if the bytes are not such a file, or would take more than `max_bytes` of memory to decode.
    """
    if image_bytes.startswith(png.SIGNATURE):
        return _open(PngImageFile, png.read_structure(image_bytes), max_bytes)
    if image_bytes.startswith(jpeg.SIGNATURE):
        return _open(JpegImageFile, jpeg.read_structure(image_bytes), max_bytes)
    if not image_bytes:
        raise ImageError("the file is empty. Send a PNG or JPEG file.")
    raise ImageError("the bytes are neither a PNG nor a JPEG file.")


def _open(kind: type[ImageFile.ImageFile], structure: Structure, max_bytes: int) -> EncodedImage:
    try:
        image = kind(open_buffer(structure.content))
        (width, height), mode = image.size, image.mode
        image.draft("L", (TARGET_SIDE, TARGET_SIDE))  # a large JPEG is decoded at 1/2, 1/4 or 1/8 scale
        decode_bytes = cost.estimate_bytes(image, structure)
    except PARSER_ERRORS as error:
        raise _damaged(error) from error
    cost.check_cost((width, height), decode_bytes, max_bytes)
    color_bytes = cost.estimate_color_bytes(image, mode)
    has_color = 0 < color_bytes <= max_bytes - decode_bytes
    shows_only_dc = image.mode == "L" and image.width == -(-width // 8) and image.height == -(-height // 8)
    return EncodedImage(
        structure.content,
        image,
        structure.orientation,
        decode_bytes + has_color * color_bytes,
        cost.estimate_seconds(image, structure, width * height),
        cost.is_cheap(image, structure),
        size=(width, height),
        dc_frame=structure.progressive_frame if shows_only_dc else b"",
        has_color=has_color,
    )


def _damaged(error: Exception) -> ImageError:
    return ImageError(f"the file is damaged or truncated ({type(error).__name__}). Send it again, whole.")
