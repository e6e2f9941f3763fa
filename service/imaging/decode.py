"""Decode PNG and JPEG bytes into a gray image with Pillow."""

import math
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
from service.imaging import dc_scans, jpeg, png
from service.imaging.buffers import Buffer, open_buffer
from service.imaging.drawing import reduce_drawing
from service.imaging.structure import Structure

TARGET_SIDE = 320
"""Pixels per side that suffice to read a digit. Larger images are reduced while or right after they are decoded."""

MAX_SIDE = 20_000
"""Pixels. Longer images are refused: buffers that grow with one side are not counted by area."""

MAX_CHEAP_BYTES = 32_768
MAX_CHEAP_PIXELS = TARGET_SIDE**2
MAX_CHEAP_PASS_BYTES = 4_000_000
"""An image within these limits is decoded and preprocessed in a few milliseconds at most."""

SECONDS_PER_BYTE = 8e-9
INTERLACED_SECONDS_PER_BYTE = 16e-9
SECONDS_PER_SOURCE_PIXEL = 1e-9
SECONDS_PER_PASS_BYTE = 0.5e-9
"""Estimated decoding time: per byte of memory; per pixel of the file, most of which a reduced JPEG never stores; per
coefficient byte of each JPEG pass."""

MAX_COPIED_PIXELS = 2_000_000
"""Pixels of an image of which a band may be copied before it is reduced."""

MIN_GRAY_CONTRAST = 48
"""Gray levels (of 255). Below this contrast, the color channel with the most contrast replaces the gray image."""

BYTES_PER_PIXEL = {"L": 1, "1": 2, "P": 2, "RGB": 4, "CMYK": 4, "RGBA": 5, "LA": 5, "I;16": 6}
"""Peak memory per pixel of each Pillow mode, including the copies that this module makes."""

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

ORIENTATIONS = {  # EXIF orientation -> how to turn the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

MIN_TURNED = 5
"""The EXIF orientations from here on exchange width and height."""

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
    frame segment of a progressive JPEG file if only its DC coefficients show.
    """

    content: Buffer
    image: ImageFile.ImageFile
    orientation: int
    decode_bytes: int
    decode_seconds: float
    is_cheap: bool
    size: tuple[int, int]
    dc_frame: bytes = b""

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
            self._leave_out_ac_scans()
            self.image.load()
            gray = reduce_drawing(_to_gray(self.image))
            return np.asarray(_rotate_upright(gray, self.orientation))
        except PARSER_ERRORS as error:
            raise _damaged(error) from error
        finally:
            self.image.close()

    def _leave_out_ac_scans(self) -> None:
        """Decode fewer scans of a large progressive JPEG file: a sixth of the time, for the same pixels."""
        if self.dc_frame and (shorter := dc_scans.keep_dc_scans(self.content, self.dc_frame)):
            self.image.close()
            self.image = JpegImageFile(open_buffer(shorter))
            self.image.draft("L", (TARGET_SIDE, TARGET_SIDE))


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
        width, height = image.size
        image.draft("L", (TARGET_SIDE, TARGET_SIDE))  # a large JPEG is decoded at 1/2, 1/4 or 1/8 scale
        decode_bytes = structure.coefficient_bytes + _pixel_bytes(image)
    except PARSER_ERRORS as error:
        raise _damaged(error) from error
    _check_cost(width, height, decode_bytes, max_bytes)
    is_small = len(structure.content) <= MAX_CHEAP_BYTES and image.width * image.height <= MAX_CHEAP_PIXELS
    is_cheap = is_small and structure.pass_bytes <= MAX_CHEAP_PASS_BYTES
    seconds = (
        decode_bytes * (INTERLACED_SECONDS_PER_BYTE if image.info.get("interlace") else SECONDS_PER_BYTE)
        + width * height * SECONDS_PER_SOURCE_PIXEL
        + structure.pass_bytes * SECONDS_PER_PASS_BYTE
    )
    shows_only_dc = image.mode == "L" and image.width == -(-width // 8) and image.height == -(-height // 8)
    return EncodedImage(
        structure.content,
        image,
        structure.orientation,
        decode_bytes,
        seconds,
        is_cheap,
        size=(width, height),
        dc_frame=structure.progressive_frame if shows_only_dc else b"",
    )


def _damaged(error: Exception) -> ImageError:
    return ImageError(f"the file is damaged or truncated ({type(error).__name__}). Send it again, whole.")


def _pixel_bytes(image: ImageFile.ImageFile) -> int:
    """Estimate the bytes that the pixels take, including the copies that `_to_gray` makes."""
    transparent = image.mode in ("P", "L", "RGB", "1", "I;16") and image.has_transparency_data
    return image.width * image.height * (9 if transparent else BYTES_PER_PIXEL.get(image.mode, 6))


def _check_cost(width: int, height: int, needed: int, max_bytes: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f"it has too many pixels. {width} x {height} is more than {MAX_SIDE} on one side. Send a smaller image:"
            " 28 x 28 is enough."
        )
    if needed > max_bytes:
        raise ImageError(
            f"it has too many pixels. {width} x {height} of them would take {needed / 1e6:.0f} MB of"
            f" memory, and {max_bytes / 1e6:.0f} MB are allowed. Send a smaller image: 28 x 28 is enough."
        )


def _to_gray(image: Image.Image) -> Image.Image:
    """Convert any mode to one opaque band of brightness, mode L, reduced."""
    if image.has_transparency_data and image.mode != "I;16":
        image = image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
        alpha = image.getchannel("A")
        if alpha.getextrema() != (255, 255):
            return _composite_alpha(image, alpha)
    if image.mode == "I;16":  # keep the upper eight bits; Pillow's own conversion clips to white
        image = Image.fromarray(np.asarray(image).view(np.uint8)[:, 1::2])
    if image.mode in ("1", "P"):  # cannot be reduced
        image = image.convert("L")
    if image.mode == "CMYK":  # Pillow converts it to a wrong brightness
        image = _reduce(image).convert("RGB")
    return _most_contrast(image)


def _most_contrast(image: Image.Image) -> Image.Image:
    """Return the brightness, reduced, or the color channel with the most contrast if all are equally bright.

    One band is reduced: that takes a sixth of the time of reducing four. A large image is reduced first, because a band
    of it would take memory.
    """
    if image.width * image.height > MAX_COPIED_PIXELS:
        image = _reduce(image)
    gray = _reduce(image if image.mode == "L" else image.convert("L"))  # a conversion would copy it
    if image.mode in ("L", "LA") or _contrast(gray) >= MIN_GRAY_CONTRAST:
        return gray
    return max((_reduce(image.getchannel(band)) for band in "RGB"), key=_contrast)


def _contrast(band: Image.Image) -> int:
    lowest, highest = band.getextrema()
    return int(highest) - int(lowest)  # type: ignore[arg-type]  # of one band: two numbers


def _composite_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """Composite an image on a background that keeps its ink visible: mode RGBA or LA, alpha mode L; to mode L, reduced.

    If most pixels are opaque, the image is a page and the background takes the page's median gray. Otherwise the
    image is a stroke on a transparent layer and the background takes the opposite brightness.
    """
    alpha, gray = _reduce(alpha), _reduce(image.convert("L"))
    opaque = np.asarray(gray)[np.asarray(alpha) > 127]
    median = int(np.median(opaque)) if opaque.size else 0
    is_page = opaque.size * 2 > gray.width * gray.height
    background = Image.new("L", gray.size, median if is_page else 255 * (median < 128))
    background.paste(gray, mask=alpha)
    return background


def _reduce(image: Image.Image) -> Image.Image:
    factor = math.isqrt(image.width * image.height) // TARGET_SIDE
    return image.reduce(factor) if factor > 1 else image


def _rotate_upright(gray: Image.Image, orientation: int) -> Image.Image:
    method = ORIENTATIONS.get(orientation)
    return gray.transpose(method) if method is not None else gray
