"""Serve the description of the API and its pages.

Both are imported and built at their first request, so that start-up takes no time and most services no memory for them.
"""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import Response

from service.inference.async_predictor import AsyncPredictor
from service.inference.contract import Contract
from service.settings import Settings
from service.web.content import Content
from service.web.error_response import error_response
from service.web.openinference_metadata import model_metadata
from service.web.status import model_json


class DocumentationEndpoints:
    """One method per route."""

    def __init__(self, settings: Settings, predictor: AsyncPredictor, contract: Contract) -> None:
        """Describe a service with these settings in effect, whose model has this contract."""
        self._settings = settings
        self._predictor = predictor
        self._contract = contract
        self._contents: dict[str, Content] = {}

    async def openapi(self, request: Request) -> Response:
        """Respond with the OpenAPI document."""
        if "openapi" not in self._contents:
            self._contents["openapi"] = Content(await self._document(), "application/json", {})
        return self._contents["openapi"].respond(request)

    async def docs(self, request: Request) -> Response:
        """Respond with Swagger UI, or with 404 if it is not installed."""
        return await self._page("docs", request)

    async def redoc(self, request: Request) -> Response:
        """Respond with ReDoc, or with 404 if it is not installed."""
        return await self._page("redoc", request)

    async def _page(self, name: str, request: Request) -> Response:
        if name not in self._contents:
            from service.web.openapi.pages import NOT_INSTALLED, PAGES, render

            content = await asyncio.to_thread(render, PAGES[name])
            if content is None:
                return error_response(404, NOT_INSTALLED)
            self._contents[name] = content
        return self._contents[name].respond(request)

    async def _document(self) -> bytes:
        from service.web.openapi.api import Api
        from service.web.openapi.document import build_document
        from service.web.openapi.examples import answer_examples

        model, inference_model = model_json(self._contract), model_metadata(self._contract)
        answers = await answer_examples(self._predictor, self._settings.max_batch, model["model"])
        return json.dumps(build_document(Api(self._settings, model, inference_model, answers)), indent=1).encode()
