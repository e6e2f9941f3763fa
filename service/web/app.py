"""Assemble the application: routes, middleware, error handlers and lifespan."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Classifier
from service.inference.in_flight import InFlight
from service.inference.predictor import Predictor
from service.settings import Settings
from service.web.body import BodyReader
from service.web.errors import exception_handlers
from service.web.predict import PredictEndpoints
from service.web.readiness import Readiness, State
from service.web.status import StatusEndpoints

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(settings: Settings, classifier: Classifier, readiness: Readiness, in_flight: InFlight) -> Starlette:
    """Build the app. It is ready between lifespan start-up and shutdown."""
    predictor = AsyncPredictor(
        Predictor(classifier, settings.max_decoded_bytes), in_flight, threads=settings.threads or 1
    )
    body = BodyReader(settings.max_upload_bytes, settings.upload_timeout, settings.max_batch)
    predict = PredictEndpoints(body, predictor)
    status = StatusEndpoints(settings.health_status, readiness, classifier.contract)

    def when_ready(endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            readiness.check()
            return await endpoint(request)

        return checked

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        readiness.state = State.READY
        yield
        readiness.state = State.DRAINING
        predictor.close()

    return Starlette(
        routes=[
            Route("/predict", when_ready(predict.predict), methods=["POST"]),
            Route("/predict-image", when_ready(predict.predict_image), methods=["POST"]),
            Route("/predict-base64", when_ready(predict.predict_base64), methods=["POST"]),
            Route("/predict-batch", when_ready(predict.predict_batch), methods=["POST"]),
            Route("/health", status.health),
            Route("/ready", status.ready),
            Route("/model", status.model),
        ],
        middleware=[
            Middleware(CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["*"], allow_headers=["*"])
        ],
        exception_handlers=exception_handlers(),
        lifespan=lifespan,
    )
