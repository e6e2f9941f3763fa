"""Split a batch into chunks of bounded memory."""

from collections.abc import Iterator, Sequence

from service.errors import RequestError
from service.imaging.decode import EncodedImage

CHUNK_SIZE = 32
"""Images of a batch that are decoded before they are preprocessed."""

CHUNK_BYTES = 10_000_000
"""Memory that decoding them takes together: it bounds that of a large batch, and its time to a tenth of a second."""


def split_batch(images: Sequence[EncodedImage | RequestError]) -> Iterator[list[EncodedImage | RequestError]]:
    """Split a batch into chunks of up to CHUNK_SIZE images and CHUNK_BYTES bytes of decoding, or one larger image."""
    chunk: list[EncodedImage | RequestError] = []
    size = 0
    for image in images:
        needed = decode_bytes(image)
        if chunk and (len(chunk) == CHUNK_SIZE or size + needed > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(image)
        size += needed
    if chunk:
        yield chunk


def decode_bytes(image: EncodedImage | RequestError) -> int:
    """Return the memory that decoding takes: none if the file could not be opened."""
    return 0 if isinstance(image, RequestError) else image.decode_bytes
