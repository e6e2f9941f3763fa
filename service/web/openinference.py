"""The routes of the Open Inference Protocol V2, which KServe, Triton and their clients speak."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.errors import RequestError, UnknownModelError
from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Prediction
from service.inference.contract import Contract
from service.web.body import BodyReader
from service.web.openinference_images import name_image
from service.web.openinference_metadata import MODEL_VERSION, SERVER, model_metadata
from service.web.openinference_request import InferenceRequest
from service.web.openinference_response import inference_response
from service.web.readiness import Readiness


class OpenInferenceEndpoints:
    """One method per route. Those of a model are the same with and without its version."""

    def __init__(self, body: BodyReader, predictor: AsyncPredictor, readiness: Readiness, contract: Contract) -> None:
        self._body = body
        self._predictor = predictor
        self._readiness = readiness
        self._metadata = model_metadata(contract)
        self._model = str(contract.content["model"])

    async def server(self, _request: Request) -> JSONResponse:
        """Describe the server."""
        return JSONResponse(SERVER)

    async def live(self, _request: Request) -> JSONResponse:
        """Respond as long as the process lives, however busy."""
        return JSONResponse({"live": True})

    async def ready(self, _request: Request) -> JSONResponse:
        """Respond with 200 if the server accepts requests. Raises NotReadyError while it starts or stops."""
        self._readiness.check_ready()
        return JSONResponse({"ready": True})

    async def model(self, request: Request) -> JSONResponse:
        """Describe the model and its tensors."""
        self._check_model(request)
        return JSONResponse(self._metadata)

    async def model_ready(self, request: Request) -> JSONResponse:
        """Respond with 200 if the model accepts requests. Raises NotReadyError while the server starts or stops."""
        self._check_model(request)
        self._readiness.check_ready()
        return JSONResponse({"name": self._model, "ready": True})

    async def infer(self, request: Request) -> Response:
        """Classify standardized images, or read image files as `/predict` does."""
        self._check_model(request)
        inference = await self._body.read_inference(request)
        predictions = await self._predict(inference)
        return inference_response(self._model, inference, predictions)

    def _check_model(self, request: Request) -> None:
        """Raise UnknownModelError unless the path names the served model, and its version if it names one."""
        name, version = request.path_params["name"], request.path_params.get("version", MODEL_VERSION)
        if (name, version) != (self._model, MODEL_VERSION):
            raise UnknownModelError(
                f"Unknown model or version. This service has model '{self._model}', version '{MODEL_VERSION}'."
            )

    async def _predict(self, inference: InferenceRequest) -> list[Prediction]:
        images = inference.images
        if not isinstance(images, list):
            return await self._predictor.classify(images)
        if len(images) == 1:
            return [await self._predictor.predict(images[0])]
        return _all_predictions(await self._predictor.predict_batch(images))


def _all_predictions(results: Sequence[Prediction | RequestError]) -> list[Prediction]:
    """Return the predictions of a batch. Raises the first error: the protocol has no errors of single images."""
    for index, result in enumerate(results):
        if isinstance(result, RequestError):
            raise name_image(result, index, len(results))
    return [result for result in results if isinstance(result, Prediction)]
