"""The prediction routes: read the images, predict, respond."""

import base64
import math
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from service.errors import RequestError
from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Prediction
from service.inference.reading import Reading
from service.web.body import BodyReader
from service.web.content_type import MAX_ECHO

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
        """Predict from multipart field `image`. With `?explain=true`, add what the network saw and where."""
        explain = is_explained(request)
        image_bytes = await self._body.read_form_image(request, field="image")
        reading = await self._predictor.read(image_bytes)
        explanation = explanation_json(reading) if explain else {}
        return JSONResponse({**prediction_json(reading.prediction), **explanation})

    async def predict_number(self, request: Request) -> JSONResponse:
        """Predict the digits of a line from multipart field `file`, or from an image as the body.

        With `?explain=true`, add the probabilities of each digit and what the network saw.
        """
        explain = is_explained(request)
        image_bytes = await self._body.read_image(request, field="file")
        readings = await self._predictor.read_number(image_bytes)
        return JSONResponse(number_json(readings, explain))

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


def is_explained(request: Request) -> bool:
    """Return whether the query asks for an explanation. Raises RequestError unless it says true, false or nothing."""
    values = request.query_params.getlist("explain")
    if len(values) > 1:
        raise RequestError(f"Query parameter 'explain' occurs {len(values)} times. Send it once.")
    if values and values[0] not in ("true", "false", ""):
        raise RequestError(f"Query parameter 'explain' is '{values[0][:MAX_ECHO]}'. Send true or false.")
    return values == ["true"]


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """Convert a prediction to JSON: digit, confidence and ten probabilities, rounded."""
    return {
        "digit": prediction.digit,
        "confidence": round(prediction.confidence, DECIMALS),
        "probabilities": [round(probability, DECIMALS) for probability in prediction.probabilities],
    }


def explanation_json(reading: Reading) -> dict[str, Any]:
    """Convert a reading to JSON: the 28 x 28 image that the network saw, as a data URL, and its place in the image."""
    data = base64.b64encode(reading.input_png).decode()
    return {"input": f"data:image/png;base64,{data}", "box": reading.box}


def number_json(readings: Sequence[Reading], explain: bool) -> dict[str, Any]:
    """Convert the digits of a line to JSON. The confidence in the number is the product of those in its digits."""
    return {
        "number": "".join(str(reading.prediction.digit) for reading in readings),
        "confidence": round(math.prod(reading.prediction.confidence for reading in readings), DECIMALS),
        "digits": [digit_json(reading, explain) for reading in readings],
    }


def digit_json(reading: Reading, explain: bool) -> dict[str, Any]:
    """Convert one digit of a line to JSON: digit, confidence and box; to explain it, probabilities and input, too."""
    prediction = prediction_json(reading.prediction)
    if explain:
        return {**prediction, **explanation_json(reading)}
    return {"digit": prediction["digit"], "confidence": prediction["confidence"], "box": reading.box}


def result_json(result: Prediction | RequestError) -> dict[str, Any]:
    """Convert one result of a batch to JSON: a prediction, or an error's detail."""
    return {"detail": str(result)} if isinstance(result, RequestError) else prediction_json(result)
