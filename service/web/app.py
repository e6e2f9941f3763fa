"""Assemble the application: routes, middleware, error handlers and lifespan."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.inference.predictor import Predictor
from service.inference.stages import StageMetrics
from service.settings import Settings
from service.web.admission import Admission, MemoryBudget
from service.web.api_key import ApiKeyMiddleware
from service.web.body import BodyReader
from service.web.cors import CrossOriginMiddleware
from service.web.error_response import SECURITY_HEADERS
from service.web.errors import exception_handlers
from service.web.openapi.endpoints import DocumentationEndpoints
from service.web.openinference import OpenInferenceEndpoints
from service.web.openinference_request import HEADER as INFERENCE_HEADER
from service.web.page import page_routes
from service.web.predict import PredictEndpoints
from service.web.readiness import Readiness, State
from service.web.recorder import RecordingMiddleware
from service.web.server_state import ServerState
from service.web.state_metrics import declare_model, declare_state
from service.web.status import StatusEndpoints
from service.web.trailing_slash import TrailingSlashMiddleware

PARSER_THREADS = 1
"""Threads that parse long bodies (`asyncio.to_thread`). By default their number creeps up to one per CPU and four."""


def create_app(settings: Settings, classifier: Classifier, state: ServerState) -> Starlette:
    """Build the app. It is ready between lifespan start-up and shutdown."""
    stages = StageMetrics(state.registry)
    budget = MemoryBudget.from_settings(settings, stages)
    admission = Admission(settings, state.readiness, budget)
    in_effect = replace(
        settings,
        max_upload_bytes=admission.max_body_bytes,
        max_decoded_bytes=min(settings.max_decoded_bytes, budget.decoding.capacity),
    )
    predictor = AsyncPredictor(
        Predictor(classifier, in_effect.max_decoded_bytes, stages),
        state.in_flight,
        max(1, settings.threads),
        budget.decoding,
    )
    declare_model(state.registry, classifier.contract)
    declare_state(state.registry, state.in_flight, budget, admission)
    return Starlette(
        routes=routes(in_effect, predictor, classifier.contract, state, admission),
        middleware=middleware(settings, state),
        exception_handlers=exception_handlers(),
        lifespan=partial(lifespan, state.readiness, predictor),
    )


def routes(
    settings: Settings, predictor: AsyncPredictor, contract: Contract, state: ServerState, admission: Admission
) -> list[Route]:
    """Return all routes. settings: with the limits in effect."""
    body = BodyReader(settings.max_upload_bytes, settings.upload_timeout, settings.max_batch)
    return [
        *prediction_routes(PredictEndpoints(body, predictor), admission),
        *status_routes(StatusEndpoints(settings.health_status, state, contract)),
        *inference_routes(OpenInferenceEndpoints(body, predictor, state.readiness, contract), admission),
        *(page_routes() if settings.page == "on" else []),
        *documentation_routes(DocumentationEndpoints(settings, predictor, contract)),
    ]


def prediction_routes(predict: PredictEndpoints, admission: Admission) -> list[Route]:
    """Return the routes that read images."""
    admit = admission.admit
    return [
        Route("/predict", admit(predict.predict), methods=["POST"]),
        Route("/predict-image", admit(predict.predict_image), methods=["POST"]),
        Route("/predict-number", admit(predict.predict_number), methods=["POST"]),
        Route("/predict-base64", admit(predict.predict_base64), methods=["POST"]),
        Route("/predict-batch", admit(predict.predict_batch), methods=["POST"]),
    ]


def status_routes(status: StatusEndpoints) -> list[Route]:
    """Return the routes that say how the service is."""
    return [
        Route("/health", status.health),
        Route("/ready", status.ready),
        Route("/model", status.model),
        Route("/metrics", status.metrics),
    ]


def inference_routes(inference: OpenInferenceEndpoints, admission: Admission) -> list[Route]:
    """Return the routes of the Open Inference Protocol."""
    infer = admission.admit(inference.infer)
    return [
        Route("/v2", inference.server),
        Route("/v2/health/live", inference.live),
        Route("/v2/health/ready", inference.ready),
        Route("/v2/models/{name}", inference.model),
        Route("/v2/models/{name}/ready", inference.model_ready),
        Route("/v2/models/{name}/infer", infer, methods=["POST"]),
        Route("/v2/models/{name}/versions/{version}", inference.model),
        Route("/v2/models/{name}/versions/{version}/ready", inference.model_ready),
        Route("/v2/models/{name}/versions/{version}/infer", infer, methods=["POST"]),
    ]


def documentation_routes(documentation: DocumentationEndpoints) -> list[Route]:
    """Return the routes of the API's description."""
    return [
        Route("/openapi.json", documentation.openapi),
        Route("/docs", documentation.docs),
        Route("/redoc", documentation.redoc),
    ]


@asynccontextmanager
async def lifespan(readiness: Readiness, predictor: AsyncPredictor, _app: Starlette) -> AsyncGenerator[None, None]:
    """Be ready from start-up to shutdown."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(PARSER_THREADS, "parser"))
    readiness.state = State.READY
    yield
    readiness.state = State.DRAINING
    predictor.close()


def middleware(settings: Settings, state: ServerState) -> list[Middleware]:
    """Return what every request passes through, outermost first."""
    cors = Middleware(
        CrossOriginMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Retry-After", "X-Request-ID", INFERENCE_HEADER],
    )
    recording = Middleware(RecordingMiddleware, recorder=state.recorder, extra_headers=SECURITY_HEADERS)
    keys = [Middleware(ApiKeyMiddleware, keys=settings.api_key)] if settings.api_key else []
    return [Middleware(TrailingSlashMiddleware), recording, cors, *keys]
