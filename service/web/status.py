"""The status routes: liveness, readiness, the served model and metrics."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service import __version__
from service.inference.contract import Contract
from service.metrics.exposition import CONTENT_TYPE
from service.web.error_response import RETRY_AFTER
from service.web.readiness import State
from service.web.server_state import ServerState


class StatusEndpoints:
    """One method per route."""

    def __init__(self, health_status: str, state: ServerState, contract: Contract) -> None:
        self._health_status = health_status
        self._readiness = state.readiness
        self._registry = state.registry
        self._contract = contract

    async def health(self, _request: Request) -> JSONResponse:
        """Respond as long as the process lives, however busy."""
        return JSONResponse({"status": self._health_status})

    async def ready(self, _request: Request) -> JSONResponse:
        """Respond with 200 if the service accepts images, or with 503 while it starts or drains."""
        state = self._readiness.state
        if state is State.READY:
            return JSONResponse({"status": state})
        return JSONResponse({"status": state}, status_code=503, headers=RETRY_AFTER)

    async def model(self, _request: Request) -> JSONResponse:
        """Describe the served model, from its verified contract."""
        return JSONResponse(model_json(self._contract))

    async def metrics(self, _request: Request) -> Response:
        """Expose the metrics of all workers in Prometheus's text format."""
        return Response(self._registry.expose(), headers={"Content-Type": CONTENT_TYPE})


def model_json(contract: Contract) -> dict[str, Any]:
    """Convert a model's contract to JSON, with the version of the service."""
    return {"version": __version__, **contract.summary()}
