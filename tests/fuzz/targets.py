"""The fuzzed functions. Each takes any bytes, and fails if a claim about them does not hold."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.types import Message

from service.errors import ImageError, RequestError
from service.imaging.buffers import Buffer
from service.imaging.decode import EncodedImage, open_image
from service.imaging.normalize import to_model_input
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.settings import Settings
from service.web import json_image, multipart
from service.web.app import create_app
from service.web.content_type import ContentType
from service.web.openinference_request import HEADER, parse_request
from service.web.readiness import State
from service.web.server_state import ServerState
from tests.fuzz import oracles
from tests.images import DIGIT, SEVEN, encode
from tests.service.web.inference_requests import INFER

MAX_DECODED_BYTES = 1_000_000
"""A fiftieth of the default, so that most inputs take less than a millisecond."""

BINARY = "application/octet-stream"
"""Type of inference requests with binary data. Their first two bytes, little-endian, are the length of the JSON."""

ROUTES = (
    ("/predict", ""),
    ("/predict", "image/jpeg"),
    ("/predict", "multipart/form-data; boundary=b"),
    ("/predict-image", "multipart/form-data; boundary=b"),
    ("/predict-base64", "application/json"),
    ("/predict-batch", "multipart/form-data; boundary=b"),
    ("/predict-number", ""),
    (INFER, "application/json"),
    (INFER, BINARY),
)
GOOD = encode(SEVEN)
MAX_BATCH = 64


def decode(data: bytes) -> None:
    """Decode and normalize an image: float32 (1, 28, 28) or ImageError. Bytes and a bytearray are opened alike."""
    opened, again = _opened(data), _opened(bytearray(data))
    if isinstance(opened, str) or isinstance(again, str):
        assert opened == again
        return
    assert (opened.content, opened.decode_bytes, opened.is_cheap) == (again.content, again.decode_bytes, again.is_cheap)
    with suppress(ImageError):
        model_input = to_model_input(again.decode())
        assert model_input.shape == (1, 28, 28)
        assert np.isfinite(model_input).all()


def _opened(data: Buffer) -> EncodedImage | str:
    try:
        return open_image(data, MAX_DECODED_BYTES)
    except ImageError as error:
        return str(error)


def form(data: bytes) -> None:
    """Parse a form under a Content-Type, which is the first line: the parts of python-multipart, or RequestError."""
    header, _, body = data.partition(b"\n")
    boundary = ContentType.parse("multipart/form-data" + header.decode("latin-1")).boundary
    try:
        parts = [(part.name, part.filename, bytes(part.content)) for part in multipart.parse(boundary, body)]
    except RequestError:
        return
    oracles.check_form(header, boundary, body, parts)


def document(data: bytes) -> None:
    """Get the image out of a JSON document: the one that `json` and `base64` find, or RequestError."""
    expected = oracles.image_of_document(data)
    results = [_image(data), _image(bytearray(data))]
    assert results[0] == results[1]
    if expected is not None:
        assert results[0] == expected


def _image(data: Buffer) -> bytes | None:
    try:
        return bytes(json_image.decode(data, "image"))
    except RequestError:
        return None


def inference(data: bytes) -> None:
    """Parse an inference request in JSON: the images that `json` and numpy find, or RequestError."""
    expected = oracles.images_of_request(data)
    results = [_images(data), _images(bytearray(data))]
    assert results[0] == results[1]
    if expected is not None:
        assert results[0] == expected
    elif results[0] is not None and not isinstance(results[0][0], bytes):  # in base64, control characters are accepted
        json.loads(data)


def _images(data: Buffer) -> list[Any] | None:
    try:
        images = parse_request(data, "", MAX_BATCH).images
    except RequestError:
        return None
    return [bytes(image) for image in images] if isinstance(images, list) else images.tolist()


def app(data: bytes) -> None:
    """Answer a request, whose first byte is its route, with 200 or 400 and JSON; and a good one beside it with 200."""
    path, content_type = ROUTES[data[0] % len(ROUTES)] if data else ROUTES[0]
    (status, content), (good_status, good_content) = _loop().run_until_complete(
        _respond(_post(path, content_type, data[1:]), _post("/predict", "image/png", GOOD))
    )
    assert (good_status, good_content["digit"]) == (200, DIGIT)
    assert status in (200, 400), content
    if status == 400:
        assert content.keys() == ({"error"} if path == INFER else {"detail"})
    else:
        assert content.keys() & {"digit", "predictions", "number", "outputs"}


Response = tuple[int, dict[str, object]]


async def _respond(*requests: Awaitable[Response]) -> list[Response]:
    async with asyncio.timeout(60):
        return list(await asyncio.gather(*requests))


async def _post(path: str, content_type: str, body: bytes) -> Response:
    length = None
    if content_type == BINARY:
        length, body = int.from_bytes(body[:2], "little"), body[2:]
    sent: list[Message] = []
    middle = len(body) // 2
    chunks = iter((body[:middle], body[middle:]))

    async def receive() -> Message:
        await asyncio.sleep(0)
        chunk = next(chunks, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", content_type.encode())]
    if length is not None:
        headers.append((HEADER.lower().encode(), str(length).encode()))
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b"", "client": None}
    await _app()(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    json_size = int(dict(sent[0]["headers"]).get(HEADER.lower().encode(), len(content)))
    return sent[0]["status"], json.loads(content[:json_size])


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _app() -> Starlette:
    settings = Settings(max_decoded_bytes=MAX_DECODED_BYTES)
    state = ServerState()
    state.readiness.state = State.READY
    classifier = Classifier(Contract.verify(settings.weights_dir / settings.model))
    logging.getLogger("digit_service").addHandler(_FailingHandler())
    return create_app(settings, classifier, state)


class _FailingHandler(logging.Handler):
    """Fails where the service logs an unexpected exception of one image."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


TARGETS: dict[str, Callable[[bytes], None]] = {
    "decode": decode,
    "form": form,
    "document": document,
    "inference": inference,
    "app": app,
}
