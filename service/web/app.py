"""Assemble the application: routes, middleware, error handlers and lifespan."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Classifier
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
from service.web.readiness import State
from service.web.recorder import RecordingMiddleware
from service.web.server_state import ServerState
from service.web.state_metrics import declare_model, declare_state
from service.web.status import StatusEndpoints

PARSER_THREADS = 1
"""Threads that parse long bodies (`asyncio.to_thread`). By default their number creeps up to one per CPU and four."""


def create_app(settings: Settings, classifier: Classifier, state: ServerState) -> Starlette:
    """Build the app. It is ready between lifespan start-up and shutdown."""
    stages = StageMetrics(state.registry)
    budget = MemoryBudget.from_settings(settings, stages)
    max_decoded_bytes = min(settings.max_decoded_bytes, budget.decoding.capacity)
    predictor = AsyncPredictor(
        Predictor(classifier, max_decoded_bytes, stages), state.in_flight, max(1, settings.threads), budget.decoding
    )
    admission = Admission(settings, state.readiness, budget)
    body = BodyReader(admission.max_body_bytes, settings.upload_timeout, settings.max_batch)
    predict = PredictEndpoints(body, predictor)
    inference = OpenInferenceEndpoints(body, predictor, state.readiness, classifier.contract)
    status = StatusEndpoints(settings.health_status, state, classifier.contract)
    in_effect = replace(settings, max_upload_bytes=admission.max_body_bytes, max_decoded_bytes=max_decoded_bytes)
    documentation = DocumentationEndpoints(in_effect, predictor, classifier.contract)
    declare_model(state.registry, classifier.contract)
    declare_state(state.registry, state.in_flight, budget, admission)
    admit = admission.admit

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(PARSER_THREADS, "parser"))
        state.readiness.state = State.READY
        yield
        state.readiness.state = State.DRAINING
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
            Route("/metrics", status.metrics),
            Route("/v2", inference.server),
            Route("/v2/health/live", inference.live),
            Route("/v2/health/ready", inference.ready),
            Route("/v2/models/{name}", inference.model),
            Route("/v2/models/{name}/ready", inference.model_ready),
            Route("/v2/models/{name}/infer", admit(inference.infer), methods=["POST"]),
            Route("/v2/models/{name}/versions/{version}", inference.model),
            Route("/v2/models/{name}/versions/{version}/ready", inference.model_ready),
            Route("/v2/models/{name}/versions/{version}/infer", admit(inference.infer), methods=["POST"]),
            *(page_routes() if settings.page == "on" else []),
            Route("/openapi.json", documentation.openapi),
            Route("/docs", documentation.docs),
            Route("/redoc", documentation.redoc),
        ],
        middleware=middleware(settings, state),
        exception_handlers=exception_handlers(),
        lifespan=lifespan,
    )


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
    return [recording, cors, *keys]
