"""The images of the examples, and what the served model responds to them."""

import base64
import json

from service.inference.async_predictor import AsyncPredictor
from service.inference.classifier import Prediction
from service.web.openapi.api import Json
from service.web.openinference_metadata import PROBABILITIES
from service.web.openinference_request import InferenceRequest, Output
from service.web.openinference_response import inference_response
from service.web.predict import explanation_json, number_json, prediction_json, result_json

SIX_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAu0lEQVR42rWS0RWCMAxFLx4H6AgdwQ3ECWCDjqAbMErZADaoG8AG6ATtBvUD"
    "hVLDn+anJ7l9OSd5KSL7ceBXMNzTLG5iUFzXbKtsL4E9pQVMkpOxJspwAmzcgXWmS+EA2u9BkzdNoUJlwnj8jNQHqrF9Ut2EORvQAOmGFlgu3zsZ"
    "KusdaBm6+XXS4ssSMDB++XkGAxAkV7rZEK9gkpaAce6UmrbC7t3q5CVXrMpYLJK7Df0DXau1UPznqF8luHfxvXd4ogAAAABJRU5ErkJggg=="
)
NUMBER_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAC0AAAAcCAAAAADQV2lOAAABDUlEQVR42tWUW3HEMAxFz3ZKwIVgCqLgQAiFFIJLJRSyEFwICYQ1BC8E9SOp48du"
    "Z/rX6ifj6yOPrqTJRflFvPAH6W3Y2tvrMAwfpao5DE7rmHfEZ+GkQymrquoCOFPiJ+1hqeBkIaguBtPT9hRzuj++4ZCyyy0ywvb2nh1FxAPIA5cT"
    "LKq+sJ18+jYUmkoCWK3poqKWdrvkejr1LgN7sx0mhFTRU9/BCcbRHVakabqkhnblvEv6ZmBtZ7kawDpvsVUlSWDWfvLh9mBXktTr0LQAxgae9Ce6"
    "eGo1Dayvz1d/G+6YOCAYJ91+t2+bInNptgqAz/JwB6DMoa5EJI75MF/FigAxmqOSyz/9n3wBOYAfAUjpRRYAAAAASUVORK5CYII="
)
SIX = base64.b64decode(SIX_BASE64)
"""PNG, 28 x 28 pixels: `examples/6-black-on-white-28x28.png`. The images fit into the smallest MAX_UPLOAD_BYTES."""

NUMBER = base64.b64decode(NUMBER_BASE64)
"""PNG, 45 x 28 pixels: the digits 4 and 2."""

NOT_AN_IMAGE = b"seven"


def batch_files(max_batch: int) -> list[bytes]:
    """Return the files of the example of a batch, at most `max_batch`: the last is invalid."""
    return [SIX, NOT_AN_IMAGE][:max_batch]


async def answer_examples(predictor: AsyncPredictor, max_batch: int, model: str) -> dict[str, Json]:
    """Return what the served model responds to the examples, by path and query. model: its name."""
    reading = await predictor.read(SIX)
    number = await predictor.read_number(NUMBER)
    files = batch_files(max_batch)
    prediction = prediction_json(reading.prediction)
    return {
        "/predict": {key: prediction[key] for key in ("digit", "confidence")},
        "/predict-image": prediction,
        "/predict-image?explain=true": {**prediction, **explanation_json(reading)},
        "/predict-base64": prediction,
        "/predict-number": number_json(number, explain=False),
        "/predict-number?explain=true": number_json(number, explain=True),
        "/predict-batch": {"predictions": [result_json(result) for result in await predictor.predict_batch(files)]},
        "/v2/models/{name}/infer": _inference_json(model, reading.prediction),
    }


def _inference_json(model: str, prediction: Prediction) -> Json:
    request = InferenceRequest(None, [SIX], [Output(PROBABILITIES, is_binary=False)])
    return dict(json.loads(bytes(inference_response(model, request, [prediction]).body)))
