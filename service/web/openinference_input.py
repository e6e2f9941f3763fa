"""Read the description of an input in an inference request: images as FP32, or PNG and JPEG files as BYTES."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.errors import RequestError
from service.web.openinference_json import echo, parameters_of
from service.web.openinference_metadata import IMAGE_SHAPE, INPUT

IMAGE_SHAPES: dict[str, list[list[int]]] = {"FP32": [IMAGE_SHAPE], "BYTES": [[], [1]]}
"""Shapes of one image by datatype."""


@dataclass(frozen=True)
class Tensor:
    """The description of an input in a request. size: bytes of binary data, None if the data is in the document."""

    datatype: str
    shape: list[int]
    size: int | None

    @property
    def count(self) -> int:
        """The number of images."""
        return self.shape[0]


def read_tensor(entry: dict[str, Any], max_batch: int) -> Tensor:
    """Check name, datatype and shape of an input. Raises RequestError, naming what the model expects."""
    if entry.get("name") != INPUT:
        raise RequestError(f"Unknown input {echo(entry.get('name'))}. The model has one input: '{INPUT}'.")
    datatype = entry.get("datatype")
    if not isinstance(datatype, str) or datatype not in IMAGE_SHAPES:
        raise RequestError(
            f"Input '{INPUT}' has datatype {echo(datatype)}. Send FP32 (standardized images) or BYTES (PNG or JPEG)."
        )
    shape = _read_shape(entry.get("shape"), IMAGE_SHAPES[datatype])
    if shape[0] > max_batch:
        raise RequestError(f"Input '{INPUT}' has {echo(shape[0])} images. Send at most {max_batch} per request.")
    return Tensor(datatype, shape, _binary_size(entry))


def _read_shape(shape: Any, image_shapes: Sequence[Sequence[int]]) -> list[int]:
    is_list = isinstance(shape, list) and shape != [] and all(type(size) is int for size in shape)
    if not is_list or shape[0] < 1 or shape[1:] not in image_shapes:
        raise RequestError(
            f"Input '{INPUT}' has shape {echo(shape)}. Send [N, 1, 28, 28] for FP32 or [N] for BYTES, N from 1."
        )
    return list(shape)


def _binary_size(entry: dict[str, Any]) -> int | None:
    """Return the declared size of binary data, None if the data is in the document."""
    size = parameters_of(entry).get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise RequestError(f"Input '{INPUT}' has binary_data_size {echo(size)}. It must be a number of bytes.")
    if (size is None) == (entry.get("data") is None):
        raise RequestError(
            f"Input '{INPUT}' needs either data, or the parameter binary_data_size and its bytes behind the JSON."
        )
    return size
