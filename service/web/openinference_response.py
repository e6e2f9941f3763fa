"""The response to an inference request: JSON, and binary data behind it where the client asked for it."""

import json
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

from starlette.responses import Response

from service.inference.classifier import Prediction
from service.web.openinference_metadata import CLASSES, LOGITS, MODEL_VERSION
from service.web.openinference_request import HEADER, InferenceRequest, Output


def inference_response(model: str, request: InferenceRequest, predictions: Sequence[Prediction]) -> Response:
    """Write the requested outputs, one row per image."""
    rows = {output: _values(output, predictions) for output in request.outputs}
    binary = [struct.pack(f"<{len(values)}f", *values) for output, values in rows.items() if output.is_binary]
    identifier = {} if request.id is None else {"id": request.id}
    content = {
        "model_name": model,
        "model_version": MODEL_VERSION,
        **identifier,
        "outputs": [_tensor(output, values) for output, values in rows.items()],
    }
    head = json.dumps(content, separators=(",", ":")).encode()  # in ASCII: an id may hold half of a surrogate pair
    if not binary:
        return Response(head, media_type="application/json")
    return Response(b"".join([head, *binary]), headers={HEADER: str(len(head))}, media_type="application/octet-stream")


def _values(output: Output, predictions: Sequence[Prediction]) -> list[float]:
    """Return one output in row-major order."""
    rows = (prediction.logits if output.name == LOGITS else prediction.probabilities for prediction in predictions)
    return list(chain.from_iterable(rows))


def _tensor(output: Output, values: list[float]) -> dict[str, Any]:
    tensor = {"name": output.name, "datatype": "FP32", "shape": [len(values) // CLASSES, CLASSES]}
    if output.is_binary:
        return {**tensor, "parameters": {"binary_data_size": struct.calcsize(f"<{len(values)}f")}}
    return {**tensor, "data": values}
