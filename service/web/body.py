"""Read the images of a request: check its type, read its body within limits, parse it."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from service.errors import RequestError, UploadTimeoutError, UploadTooLargeError
from service.imaging.buffers import Buffer
from service.web import form, json_image
from service.web.content_type import ContentType
from service.web.openinference_request import HEADER, InferenceRequest, parse_request

MAX_INLINE_JSON = 131_072
MAX_INLINE_FORM = 16_384
MAX_INLINE_INFERENCE = 32_768
"""Longer JSON documents, forms and inference requests are parsed in a thread: it takes milliseconds."""

Result = TypeVar("Result")

MAX_OVERRUN = 4
"""How many times the size limit is read before an oversized upload is cut off."""


class BodyReader:
    """Reads the images of requests. Every method raises RequestError if a request is invalid."""

    def __init__(self, max_bytes: int, timeout: float, max_batch: int) -> None:
        """Accept bodies of up to `max_bytes` within `timeout` seconds, and up to `max_batch` images in one."""
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._max_batch = max_batch

    async def read_image(self, request: Request, field: str) -> Buffer:
        """Read one image from a form's field, or from the whole body if it is not a form."""
        content_type = _content_type(request)
        if content_type.is_form:
            return await self._read_form_image(request, content_type, field)
        content_type.check_declares_image()
        body = await self._read(request)
        if not body:
            raise RequestError(
                f"The body is empty. Send the image as multipart field '{field}', or as the body with its Content-Type."
            )
        content_type.check_image(body)
        return body

    async def read_form_image(self, request: Request, field: str) -> Buffer:
        """Read one image from a form's field."""
        return await self._read_form_image(request, _form_type(request, field), field)

    async def read_form_images(self, request: Request, field: str) -> list[Buffer | RequestError]:
        """Read all images of a form's repeated field, in order. A file that is not an image gives its error."""
        content_type = _form_type(request, field)
        body = await self._read(request)
        images = await _parse(
            body, MAX_INLINE_FORM, partial(form.find_images, content_type.boundary, body, field, self._max_batch)
        )
        if isinstance(body, bytearray):
            body.clear()  # its images were copied, and its request lives on until it is answered
        return images

    async def read_base64_image(self, request: Request, field: str) -> Buffer:
        """Read one image in base64 from a key of a JSON object. The declared type does not matter."""
        body = await self._read(request)
        return await _parse(body, MAX_INLINE_JSON, partial(json_image.decode, body, field))

    async def read_inference(self, request: Request) -> InferenceRequest:
        """Read a request of the Open Inference Protocol. The declared type does not matter."""
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise RequestError("The body is compressed. Send it without Content-Encoding.")
        body = await self._read(request)
        parse = partial(parse_request, body, request.headers.get(HEADER, ""), self._max_batch)
        return await _parse(body, MAX_INLINE_INFERENCE, parse)

    async def _read_form_image(self, request: Request, content_type: ContentType, field: str) -> Buffer:
        body = await self._read(request)
        return await _parse(body, MAX_INLINE_FORM, partial(form.find_image, content_type.boundary, body, field))

    async def _read(self, request: Request) -> Buffer:
        try:
            async with asyncio.timeout(self._timeout):
                return await _read_up_to(self._max_bytes, request)
        except TimeoutError as error:
            raise UploadTimeoutError(
                f"The upload took longer than {self._timeout:g} s. Send it again, faster."
            ) from error


async def _parse(body: Buffer, max_inline: int, parse: Callable[[], Result]) -> Result:
    """Parse a body, in a thread if it has more than `max_inline` bytes."""
    return parse() if len(body) <= max_inline else await asyncio.to_thread(parse)


async def _read_up_to(max_bytes: int, request: Request) -> Buffer:
    """Read the whole body: bytes if it arrived at once, else a bytearray, which grows in place.

    Raises UploadTooLargeError if it is larger than `max_bytes`. The excess is read and dropped, up to a limit: a client
    that is cut off while it sends sees a broken connection instead of the response.
    """
    body: Buffer = b""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_OVERRUN * max_bytes:
            break
        if size <= max_bytes:
            body = _append(body, chunk)
    if size > max_bytes:
        raise upload_too_large(max_bytes)
    return body


def _append(body: Buffer, chunk: bytes) -> Buffer:
    """Return a body with one more chunk, which Starlette leaves empty at the end."""
    if not body or not chunk:
        return body or chunk
    body = body if isinstance(body, bytearray) else bytearray(body)
    body += chunk
    return body


def upload_too_large(max_bytes: int) -> UploadTooLargeError:
    """Return the error of a body with more than `max_bytes` bytes."""
    return UploadTooLargeError(f"The upload is larger than {max_bytes} bytes. Send a smaller file, or fewer files.")


def _content_type(request: Request) -> ContentType:
    return ContentType.parse(request.headers.get("content-type", ""))


def _form_type(request: Request, field: str) -> ContentType:
    content_type = _content_type(request)
    if not content_type.is_form:
        raise RequestError(f"The body is not multipart/form-data. Send the image as multipart field '{field}'.")
    return content_type
