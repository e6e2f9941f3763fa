"""Routes, errors and lifespan: HTTP around the pipeline, and no arithmetic."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from service import uploads
from service.batcher import Batcher
from service.classifier import Classifier, Prediction
from service.decode import is_quick
from service.errors import NotReadyError, RequestError, UploadTimeoutError, UploadTooLargeError
from service.lifecycle import Readiness, State
from service.pipeline import read_digit, read_digits
from service.settings import Settings

STATUS: Mapping[type[Exception], int] = {
    RequestError: 400,
    ClientDisconnect: 400,  # nobody is left to read it
    UploadTimeoutError: 408,
    UploadTooLargeError: 413,
    NotReadyError: 503,
}

RETRY_AFTER = {"Retry-After": "1"}

DECIMALS = 4

MAX_TOGETHER = 32
"""Small pictures that are read in one turn of the event loop: some ten milliseconds."""

Pictures = TypeVar("Pictures")
Answer = TypeVar("Answer")


def create_app(settings: Settings, classifier: Classifier, readiness: Readiness) -> Starlette:
    """The whole application; ready from the end of its start-up to the beginning of its end."""
    endpoints = Endpoints(settings, classifier, readiness)
    return Starlette(
        routes=[
            Route("/predict", endpoints.predict, methods=["POST"]),
            Route("/predict-image", endpoints.predict_image, methods=["POST"]),
            Route("/predict-base64", endpoints.predict_base64, methods=["POST"]),
            Route("/predict-batch", endpoints.predict_batch, methods=["POST"]),
            Route("/health", endpoints.health),
            Route("/ready", endpoints.ready),
            Route("/model", endpoints.model),
        ],
        middleware=[
            Middleware(CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["*"], allow_headers=["*"])
        ],
        exception_handlers={
            **{kind: partial(_refuse, status) for kind, status in STATUS.items()},
            HTTPException: _refuse_route,
        },
        lifespan=endpoints.lifespan,
    )


class Endpoints:
    """One method a route.

    Large pictures and batches are read in a thread of their own: the event loop stays free for /health. A small
    picture is read on the event loop, for the way to the thread and back would take longer than it does.
    """

    def __init__(self, settings: Settings, classifier: Classifier, readiness: Readiness) -> None:
        self._settings = settings
        self._classifier = classifier
        self._readiness = readiness
        self._batcher = Batcher(
            lambda pictures: read_digits(pictures, classifier, settings.max_decoded_bytes),
            MAX_TOGETHER,
            readiness.is_alone,
        )
        self._thread = ThreadPoolExecutor(settings.threads or 1, "reader")

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncGenerator[None, None]:
        """Ready between start-up and shutdown."""
        self._readiness.state = State.READY
        yield
        self._readiness.state = State.DRAINING
        self._thread.shutdown()

    async def predict(self, request: Request) -> JSONResponse:
        """Multipart field `file`, or the picture itself as the body."""
        picture = uploads.from_form_or_body(_content_type(request), await self._body(request), "file")
        prediction = await self._read(picture)
        return JSONResponse({"digit": prediction.digit, "confidence": round(prediction.confidence, DECIMALS)})

    async def predict_image(self, request: Request) -> JSONResponse:
        """Multipart field `image`."""
        picture = uploads.from_form(_content_type(request), await self._body(request), "image")
        return JSONResponse(_in_full(await self._read(picture)))

    async def predict_base64(self, request: Request) -> JSONResponse:
        """JSON with the picture in base64 at `image`."""
        picture = uploads.from_json(await self._body(request), "image")
        return JSONResponse(_in_full(await self._read(picture)))

    async def predict_batch(self, request: Request) -> JSONResponse:
        """Multipart field `files`, repeated; a file that cannot be read costs the others nothing."""
        pictures = uploads.each_from_form(
            _content_type(request), await self._body(request), "files", self._settings.max_batch
        )
        answers = await self._in_thread(read_digits, pictures)
        return JSONResponse({"predictions": [_in_full_or_detail(answer) for answer in answers]})

    async def health(self, _request: Request) -> JSONResponse:
        """Alive, however busy."""
        return JSONResponse({"status": self._settings.health_status})

    async def ready(self, _request: Request) -> JSONResponse:
        """Whether to send pictures here: 200, or 503 while starting or draining."""
        state = self._readiness.state
        if state is State.READY:
            return JSONResponse({"status": state})
        return JSONResponse({"status": state}, status_code=503, headers=RETRY_AFTER)

    async def model(self, _request: Request) -> JSONResponse:
        """What is served, as its verified contract describes it."""
        return JSONResponse(self._classifier.contract.summary())

    async def _body(self, request: Request) -> bytes:
        self._readiness.check()
        seconds = self._settings.upload_timeout
        try:
            async with asyncio.timeout(seconds):
                return await uploads.body(request, self._settings.max_upload_bytes)
        except TimeoutError as error:
            raise UploadTimeoutError(f"The upload took longer than {seconds:g} s. Send it again, faster.") from error

    async def _read(self, picture: bytes) -> Prediction:
        if is_quick(picture):
            return await self._batcher.read(picture)
        return await self._in_thread(read_digit, picture)

    async def _in_thread(self, read: Callable[[Pictures, Classifier, int], Answer], pictures: Pictures) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, read, pictures, self._classifier, self._settings.max_decoded_bytes
        )


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


def _in_full(prediction: Prediction) -> dict[str, Any]:
    return {
        "digit": prediction.digit,
        "confidence": round(prediction.confidence, DECIMALS),
        "probabilities": [round(probability, DECIMALS) for probability in prediction.probabilities],
    }


def _in_full_or_detail(answer: Prediction | RequestError) -> dict[str, Any]:
    return {"detail": str(answer)} if isinstance(answer, RequestError) else _in_full(answer)


async def _refuse(status: int, _request: Request, error: Exception) -> JSONResponse:
    headers = RETRY_AFTER if status == 503 else None
    return JSONResponse({"detail": str(error)}, status_code=status, headers=headers)


async def _refuse_route(request: Request, error: Exception) -> JSONResponse:
    """Starlette's own refusals: no such path, no such method."""
    assert isinstance(error, HTTPException)
    details = {
        404: "There is nothing at this path."
        " POST a picture to /predict, /predict-image or /predict-base64, or several to /predict-batch.",
        405: f"{request.method} is not allowed here. Use {(error.headers or {}).get('Allow')}.",
    }
    detail = details.get(error.status_code, error.detail)
    return JSONResponse({"detail": detail}, status_code=error.status_code, headers=error.headers)
