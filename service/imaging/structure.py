"""Read the chunks or segments of a file before Pillow decodes it."""

from dataclasses import dataclass

from service.imaging.buffers import Buffer


@dataclass(slots=True)
class Structure:
    """A PNG or JPEG file as it will be decoded.

    content: the file without the parts that decoding ignores. orientation: as in EXIF, 1 to 8; 1 is upright.
    coefficient_bytes: memory for the coefficients of a JPEG file, which a multi-scan file holds until its last scan;
    otherwise 0. pass_bytes: the coefficients that all decoding passes read, weighted by how long that takes.
    progressive_frame: the frame segment of a progressive, Huffman-coded JPEG file; otherwise empty.
    """

    content: Buffer
    orientation: int = 1
    coefficient_bytes: int = 0
    pass_bytes: int = 0
    progressive_frame: bytes = b""
