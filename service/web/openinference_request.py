"""An inference request of the Open Inference Protocol: JSON, or JSON and binary data behind it."""

import json
import re
from dataclasses import dataclass
from typing import Any

from service.errors import RequestError
from service.imaging.buffers import Buffer
from service.inference.tensors import FLOAT_BYTES, Images
from service.web.openinference_document import Document
from service.web.openinference_images import read_binary_images, read_json_images
from service.web.openinference_input import read_tensor
from service.web.openinference_json import echo, flag, objects_at, parameters_of
from service.web.openinference_metadata import IMAGE_SHAPE, INPUT, LOGITS, OUTPUTS

HEADER = "Inference-Header-Content-Length"
HEADER_LENGTH = re.compile(r"\d{1,12}")
IMAGE_BYTES = 28 * 28 * FLOAT_BYTES


@dataclass(frozen=True)
class Output:
    """A requested output. is_binary: whether its data stands behind the JSON."""

    name: str
    is_binary: bool


@dataclass(frozen=True)
class InferenceRequest:
    """A parsed request. id: as given, or None. images: float32 (N, 1, 28, 28), standardized, or N files."""

    id: str | None
    images: Images | list[Buffer]
    outputs: list[Output]


def parse_request(body: Buffer, header_length: str, max_batch: int) -> InferenceRequest:
    """Parse a body. A bytearray may be changed in place.

    header_length: the bytes of JSON before binary data, as the header gives them; empty if all of the body is JSON.
    Raises RequestError, naming what is wrong.
    """
    json_size = _json_size(header_length, len(body))
    document = Document(_json_text(body, json_size))
    content = document.content
    entry = _single_input(content)
    tensor = read_tensor(entry, max_batch)
    identifier, outputs = _identifier(content), _outputs(content)
    if tensor.size is not None:
        images = read_binary_images(tensor, body, json_size)
    elif json_size < len(body):
        raise RequestError(
            f"{len(body) - json_size} bytes follow the JSON, but input '{INPUT}' has no binary_data_size."
        )
    else:
        images = read_json_images(tensor, document.data_text(entry["data"]))
    return InferenceRequest(identifier, images, outputs)


def _json_size(header_length: str, body_size: int) -> int:
    if not header_length:
        return body_size
    if not HEADER_LENGTH.fullmatch(header_length) or int(header_length) > body_size:
        raise RequestError(
            f"{HEADER} is {echo(header_length)}, and the body has {body_size} bytes. Send the number of bytes of JSON"
            " before the binary data, or leave the header out."
        )
    return int(header_length)


def _json_text(body: Buffer, size: int) -> Buffer:
    """Return the JSON of a body. A body without any is one tensor, which the protocol describes as follows."""
    if size == len(body):
        return body
    if size:
        return body[:size]
    tensor = {
        "name": INPUT,
        "datatype": "FP32",
        "shape": [len(body) // IMAGE_BYTES, *IMAGE_SHAPE],
        "parameters": {"binary_data_size": len(body)},
    }
    return json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()


def _single_input(content: dict[str, Any]) -> dict[str, Any]:
    inputs = objects_at("inputs", content)
    if len(inputs) != 1:
        raise RequestError(f"The request has {len(inputs)} inputs. Send one: '{INPUT}'.")
    return inputs[0]


def _identifier(content: dict[str, Any]) -> str | None:
    identifier = content.get("id")
    if identifier is not None and not isinstance(identifier, str):
        raise RequestError(f"id is {echo(identifier)}. Send a string, or leave it out.")
    return identifier


def _outputs(content: dict[str, Any]) -> list[Output]:
    """Return the requested outputs; without any, the logits."""
    is_binary = flag("binary_data_output", content, default=False)
    outputs = [_output(entry, is_binary) for entry in objects_at("outputs", content)]
    names = [output.name for output in outputs]
    if len(set(names)) < len(names):
        raise RequestError("An output is requested twice. Request each once.")
    return outputs or [Output(LOGITS, is_binary)]


def _output(entry: dict[str, Any], is_binary: bool) -> Output:
    name = entry.get("name")
    if name not in OUTPUTS:
        raise RequestError(f"Unknown output {echo(name)}. The model has {' and '.join(map(repr, OUTPUTS))}.")
    if parameters_of(entry).get("classification"):
        raise RequestError(f"Output {name!r} is requested as a classification. Request its numbers.")
    return Output(name, flag("binary_data", entry, default=is_binary))
