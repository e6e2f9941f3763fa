"""Assemble the application: routes, middleware, error handlers and lifespan."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Classifier
from service.inference.in_flight import InFlight
from service.inference.predictor import Predictor
from service.settings import Settings
from service.web.admission import Admission, MemoryBudget
from service.web.body import BodyReader
from service.web.errors import exception_handlers
from service.web.predict import PredictEndpoints
from service.web.readiness import Readiness, State
from service.web.status import StatusEndpoints


def create_app(settings: Settings, classifier: Classifier, readiness: Readiness, in_flight: InFlight) -> Starlette:
    """Build the app. It is ready between lifespan start-up and shutdown."""
    budget = MemoryBudget.from_settings(settings)
    max_decoded_bytes = min(settings.max_decoded_bytes, budget.decoding.capacity)
    predictor = AsyncPredictor(
        Predictor(classifier, max_decoded_bytes), in_flight, max(1, settings.threads), budget.decoding
    )
    max_body_bytes = min(settings.max_upload_bytes, budget.large_bodies.capacity)
    body = BodyReader(max_body_bytes, settings.upload_timeout, settings.max_batch)
    predict = PredictEndpoints(body, predictor)
    status = StatusEndpoints(settings.health_status, readiness, classifier.contract)
    admit = Admission(settings, readiness, budget).admit

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        readiness.state = State.READY
        yield
        readiness.state = State.DRAINING
        predictor.close()

    return Starlette(
        routes=[
            Route("/predict", admit(predict.predict), methods=["POST"]),
            Route("/predict-image", admit(predict.predict_image), methods=["POST"]),
            Route("/predict-number", admit(predict.predict_number), methods=["POST"]),
            Route("/predict-base64", admit(predict.predict_base64), methods=["POST"]),
            Route("/predict-batch", admit(predict.predict_batch), methods=["POST"]),
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
