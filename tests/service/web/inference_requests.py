"""Requests of the Open Inference Protocol, written by hand, and what their responses hold."""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL = "/v2/models/cnn-transformer"
INFER = f"{MODEL}/infer"
HEADER = "Inference-Header-Content-Length"
IMAGES = np.random.default_rng(0).normal(size=(3, 1, 28, 28)).astype(np.float32)


def document(entry: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """Return a request with one input; keys: of the request."""
    return {"inputs": [entry], **keys}


def numbers(images: NDArray[np.float32] = IMAGES, **changes: Any) -> dict[str, Any]:
    """Return an input of numbers, flat; changes: of its keys."""
    entry = {"name": "image", "datatype": "FP32", "shape": list(images.shape), "data": images.ravel().tolist()}
    return {**entry, **changes}


def strings(*data: str, **changes: Any) -> dict[str, Any]:
    """Return an input of strings; changes: of its keys."""
    return {"name": "image", "datatype": "BYTES", "shape": [len(data)], "data": list(data), **changes}


def binary(size: int, datatype: str = "FP32", shape: Any = (3, 1, 28, 28), **changes: Any) -> dict[str, Any]:
    """Return an input whose data stands behind the JSON; changes: of its keys."""
    parameters = {"binary_data_size": size}
    return {"name": "image", "datatype": datatype, "shape": list(shape), "parameters": parameters, **changes}


def elements(*files: bytes) -> bytes:
    """Return binary data of BYTES: each file behind its length."""
    return b"".join(struct.pack("<I", len(file)) + file for file in files)


def with_binary(request: dict[str, Any], data: bytes, length: str | None = None) -> dict[str, Any]:
    """Return body and headers of a request with binary data. length: of the JSON, by default the right one."""
    head = json.dumps(request).encode()
    return {"content": head + data, "headers": {HEADER: str(len(head)) if length is None else length}}


def tensors(response: Any) -> dict[str, NDArray[np.float32]]:
    """Return the outputs of a response by name, whichever encoding each has."""
    assert response.status_code == 200, response.text
    size = int(response.headers.get(HEADER, len(response.content)))
    data = response.content[size:]
    outputs = {}
    for output in json.loads(response.content[:size])["outputs"]:
        assert output["datatype"] == "FP32"
        if "data" in output:
            values = np.array(output["data"], np.float32)
        else:
            length = output["parameters"]["binary_data_size"]
            values, data = np.frombuffer(data[:length], "<f4"), data[length:]
        outputs[output["name"]] = values.reshape(output["shape"])
    assert data == b""
    return outputs
