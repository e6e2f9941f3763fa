"""Read a chunk of sources: bytes -> readings -> results, a batch at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from service.cli.result import Readings, Result, Thumbnail, make_result
from service.cli.source import Source
from service.errors import FileError, RequestError
from service.imaging.decode import EncodedImage
from service.inference.chunks import CHUNK_BYTES, CHUNK_SIZE, split_batch
from service.inference.isolation import map_valid
from service.inference.predictor import Predictor

THUMBNAIL_SIDE = 96

SHOWN_CHUNK_SIZE = 4
"""Results for the contact sheet are larger: ten kilobytes per image."""

File = bytes | RequestError
Images = Sequence[EncodedImage | RequestError]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sources that are read together. is_shown: whether the contact sheet shows them."""

    sources: list[Source]
    is_shown: bool = False


def make_chunks(sources: Iterator[Source], shown: int = 0) -> Iterator[Chunk]:
    """Divide sources into chunks. The contact sheet shows the first `shown` of them."""
    while shown > 0 and (part := list(islice(sources, min(shown, SHOWN_CHUNK_SIZE)))):
        shown -= len(part)
        yield Chunk(part, is_shown=True)
    while part := list(islice(sources, CHUNK_SIZE)):
        yield Chunk(part)


class ChunkReader:
    """Reads chunks with one predictor."""

    def __init__(self, predictor: Predictor, is_number: bool) -> None:
        """Read the most prominent digit of each file, or with `is_number` all digits of a line."""
        self._predictor = predictor
        self._read_images = self._read_numbers if is_number else self._read_digits

    def read(self, chunk: Chunk) -> Iterator[list[Result]]:
        """Yield the results of a chunk in order, batch by batch. A batch bounds the memory and the time."""
        for files in _load(chunk.sources):
            remaining = iter(files)
            for images in split_batch(self._predictor.open_batch(files)):
                batch = islice(remaining, len(images))
                yield [
                    make_result(readings, self._thumbnail(file) if chunk.is_shown else None)
                    for file, readings in zip(batch, self._read_images(images), strict=True)
                ]

    def _read_digits(self, images: Images) -> Iterable[Readings]:
        results = self._predictor.read_batch(images)
        return (result if isinstance(result, RequestError) else [result] for result in results)

    def _read_numbers(self, images: Images) -> Iterable[Readings]:
        return map_valid(self._predictor.read_number, images)

    def _thumbnail(self, file: File) -> Thumbnail | None:
        """Draw the upright image in gray, at most THUMBNAIL_SIDE per side. Returns None if it cannot be decoded."""
        try:
            gray = self._predictor.open(file).decode() if isinstance(file, bytes) else None
        except RequestError:
            return None
        if gray is None:
            return None
        image = Image.fromarray(gray)
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        return np.asarray(image)


def _load(sources: Iterable[Source]) -> Iterator[list[File]]:
    """Read the bytes of sources. Yields lists of files, each complete once it has more than CHUNK_BYTES bytes."""
    files: list[File] = []
    size = 0
    for source in sources:
        file = _read(source)
        files.append(file)
        size += len(file) if isinstance(file, bytes) else 0
        if size > CHUNK_BYTES:
            yield files
            files, size = [], 0
    if files:
        yield files


def _read(source: Source) -> File:
    try:
        return source.read()
    except FileError as error:
        return error
