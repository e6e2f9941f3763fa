"""Serve the description of the API and its pages.

Both are imported and built at their first request, so that start-up takes no time and most services no memory for them.
"""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.inference.async_predictor import AsyncPredictor
from service.settings import Settings
from service.web.content import Content
from service.web.error_response import error_response


class DocumentationEndpoints:
    """One method per route."""

    def __init__(self, settings: Settings, predictor: AsyncPredictor, model: dict[str, Any]) -> None:
        """Describe a service with these settings in effect, whose GET /model responds with `model`."""
        self._settings = settings
        self._predictor = predictor
        self._model = model
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

        answers = await answer_examples(self._predictor, self._settings.max_batch)
        return json.dumps(build_document(Api(self._settings, self._model, answers)), indent=1).encode()
