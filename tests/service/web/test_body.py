"""A body is read only if its type is right, and only within the limits of size and time."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.testclient import TestClient
from starlette.types import Message

from service.errors import RequestError, UploadTimeoutError, UploadTooLargeError
from service.inference.classifier import Classifier
from service.web.body import MAX_OVERRUN, BodyReader
from tests.conftest import make_app
from tests.images import SEVEN, encode

PNG = encode(SEVEN)
MAX_BYTES = 5_000
FORM = "multipart/form-data; boundary=b"


class Upload:
    """A request whose body arrives in these chunks, or must not be read. consumed: the bytes that were read so far."""

    def __init__(self, chunks: AsyncIterator[bytes] | None, content_type: str) -> None:
        self.consumed = 0
        self._chunks = chunks
        headers = [(b"content-type", content_type.encode())] if content_type else []
        self.request = Request({"type": "http", "method": "POST", "headers": headers}, self._receive)

    async def _receive(self) -> Message:
        assert self._chunks is not None, "the body was read"
        chunk = await anext(self._chunks, None)
        self.consumed += len(chunk or b"")
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}


async def split(content: bytes, size: int = 1_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def stalled() -> AsyncIterator[bytes]:
    yield PNG[:50]
    await asyncio.sleep(3_600)


async def dripping() -> AsyncIterator[bytes]:
    while True:
        yield b"x"
        await asyncio.sleep(0.01)


def body_reader(timeout: float = 30.0) -> BodyReader:
    return BodyReader(MAX_BYTES, timeout, max_batch=2)


def error_of(reading: Coroutine[Any, Any, Any]) -> RequestError:
    """Return the error that reading must raise."""
    with pytest.raises(RequestError) as raised:
        asyncio.run(reading)
    return raised.value


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream", ""])
@pytest.mark.parametrize("chunk_size", [1, 100, 10_000])
def test_body_is_joined_from_its_chunks(content_type: str, chunk_size: int) -> None:
    """Return the image that arrived in chunks of any size."""
    upload = Upload(split(PNG, chunk_size), content_type)
    assert asyncio.run(body_reader().read_image(upload.request, "file")) == PNG


@pytest.mark.parametrize("content_type", ["image/gif", "text/plain", "application/json", "multipart/mixed"])
def test_type_of_an_image_is_checked_before_the_body_is_read(content_type: str) -> None:
    """Reject an unsupported type without reading a byte."""
    upload = Upload(None, content_type)
    error = error_of(body_reader().read_image(upload.request, "file"))
    assert str(error).startswith(f"Invalid file type: {content_type}. Only JPEG and PNG are supported.")


@pytest.mark.parametrize("content_type", ["image/png", "application/x-www-form-urlencoded", ""])
def test_type_of_a_form_is_checked_before_the_body_is_read(content_type: str) -> None:
    """Reject anything but a multipart form without reading a byte, for one image or several."""
    for read in (body_reader().read_form_image, body_reader().read_form_images):
        error = error_of(read(Upload(None, content_type).request, "image"))
        assert str(error) == ("The body is not multipart/form-data. Send the image as multipart field 'image'.")


def test_empty_body_is_rejected() -> None:
    """Explain how to send an image."""
    error = error_of(body_reader().read_image(Upload(split(b""), "image/png").request, "file"))
    assert str(error) == (
        "The body is empty. Send the image as multipart field 'file', or as the body with its Content-Type."
    )


@pytest.mark.parametrize("chunk_size", [100, 999, MAX_BYTES + 1])
def test_size_limit_is_inclusive(chunk_size: int) -> None:
    """Accept exactly the limit, and reject one byte more, however it is split into chunks."""
    content = PNG + bytes(MAX_BYTES - len(PNG))
    accepted = Upload(split(content, chunk_size), "image/png")
    assert asyncio.run(body_reader().read_image(accepted.request, "file")) == content
    error = error_of(body_reader().read_image(Upload(split(content + b"x", chunk_size), "image/png").request, "file"))
    assert isinstance(error, UploadTooLargeError)
    assert str(error) == "The upload is larger than 5000 bytes. Send a smaller file, or fewer files."


def test_excess_is_read_before_it_is_rejected() -> None:
    """Read the whole of a body up to MAX_OVERRUN times the limit, because the client would not see a response else."""
    upload = Upload(split(bytes(MAX_OVERRUN * MAX_BYTES)), "image/png")
    assert isinstance(error_of(body_reader().read_image(upload.request, "file")), UploadTooLargeError)
    assert upload.consumed == MAX_OVERRUN * MAX_BYTES


def test_endless_body_is_cut_off() -> None:
    """Stop reading at MAX_OVERRUN times the limit."""
    upload = Upload(split(bytes(100 * MAX_BYTES)), "image/png")
    assert isinstance(error_of(body_reader().read_image(upload.request, "file")), UploadTooLargeError)
    assert upload.consumed == MAX_OVERRUN * MAX_BYTES + 1_000


@pytest.mark.parametrize("chunks", [stalled, dripping])
def test_slow_upload_is_cut_off(chunks: Any) -> None:
    """Raise UploadTimeoutError if the whole body has not arrived in time, also if it has not stalled."""
    started = time.monotonic()
    error = error_of(body_reader(timeout=0.1).read_base64_image(Upload(chunks(), "").request, "image"))
    assert isinstance(error, UploadTimeoutError)
    assert str(error) == "The upload took longer than 0.1 s. Send it again, faster."
    assert 0.1 <= time.monotonic() - started < 10


def test_disconnected_client_ends_the_upload() -> None:
    """Raise Starlette's ClientDisconnect, not a partial image."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(ClientDisconnect):
        asyncio.run(body_reader().read_image(request, "file"))


@pytest.fixture(scope="module")
def small(classifier: Classifier) -> Iterator[TestClient]:
    """Start an app that accepts little."""
    with TestClient(make_app(classifier, max_upload_bytes=MAX_BYTES)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/predict", "image/png"),
        ("/predict", FORM),
        ("/predict-image", FORM),
        ("/predict-base64", "application/json"),
        ("/predict-batch", FORM),
    ],
)
@pytest.mark.parametrize("size", [MAX_BYTES + 1, MAX_OVERRUN * MAX_BYTES + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_every_route_limits_the_size(small: TestClient, path: str, content_type: str, size: int, chunked: bool) -> None:
    """Respond with 413 at every route, whether or not the length is declared."""
    content = iter([b"x" * 1_000] * (size // 1_000) + [b"x" * (size % 1_000)]) if chunked else b"x" * size
    response = small.post(path, content=content, headers={"Content-Type": content_type})
    assert response.status_code == 413
    assert response.json() == {"detail": "The upload is larger than 5000 bytes. Send a smaller file, or fewer files."}
