"""The prediction routes: read the images, predict, respond."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from service.errors import RequestError
from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Prediction
from service.web.body import BodyReader

DECIMALS = 4


class PredictEndpoints:
    """One method per route."""

    def __init__(self, body: BodyReader, predictor: AsyncPredictor) -> None:
        self._body = body
        self._predictor = predictor

    async def predict(self, request: Request) -> JSONResponse:
        """Predict from multipart field `file`, or from an image as the body."""
        image_bytes = await self._body.read_image(request, field="file")
        prediction = await self._predictor.predict(image_bytes)
        return JSONResponse({"digit": prediction.digit, "confidence": round(prediction.confidence, DECIMALS)})

    async def predict_image(self, request: Request) -> JSONResponse:
        """Predict from multipart field `image`."""
        image_bytes = await self._body.read_form_image(request, field="image")
        prediction = await self._predictor.predict(image_bytes)
        return JSONResponse(prediction_json(prediction))

    async def predict_base64(self, request: Request) -> JSONResponse:
        """Predict from base64 at key `image` of a JSON object."""
        image_bytes = await self._body.read_base64_image(request, field="image")
        prediction = await self._predictor.predict(image_bytes)
        return JSONResponse(prediction_json(prediction))

    async def predict_batch(self, request: Request) -> JSONResponse:
        """Predict from each file in multipart field `files`. An invalid file gives its error at its index."""
        files = await self._body.read_form_images(request, field="files")
        results = await self._predictor.predict_batch(files)
        return JSONResponse({"predictions": [result_json(result) for result in results]})


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """Convert a prediction to JSON: digit, confidence and ten probabilities, rounded."""
    return {
        "digit": prediction.digit,
        "confidence": round(prediction.confidence, DECIMALS),
        "probabilities": [round(probability, DECIMALS) for probability in prediction.probabilities],
    }


def result_json(result: Prediction | RequestError) -> dict[str, Any]:
    """Convert one result of a batch to JSON: a prediction, or an error's detail."""
    return {"detail": str(result)} if isinstance(result, RequestError) else prediction_json(result)
