"""The requests of the soak, and the responses that they must get."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.payloads import all_images
from examples.draw import EXAMPLES, Example, draw
from service.imaging.normalize import to_model_input
from tests.golden import example_bytes
from tests.hostile.documents import DOCUMENTS
from tests.hostile.forms import CONTENT_TYPE, FORMS
from tests.hostile.inferences import INFERENCES
from tests.hostile.jpegs import JPEGS
from tests.hostile.pngs import PNGS
from tests.images import DIGIT, SEVEN, encode
from tests.service.process.connection import Response, get, post_head
from tests.service.web import inference_requests
from tests.service.web.inference_requests import HEADER, INFER, binary, elements, numbers, strings, with_binary

CLASSES = 10

DOCUMENT_BYTES = 1_000_000
"""Size of an image whose document is decoded in a thread."""

MAX_CRAFTED_BYTES = 2_000
"""Larger crafted uploads have tests of their own."""

LARGE = ("MB", "million", "0,000", "largest", "full", "noise", "inflate")
"""Words in the names of crafted uploads that take long to write."""


@dataclass(frozen=True)
class Exchange:
    """A request and its right response: the status, and of a prediction the digits (None for an invalid file)."""

    kind: str
    request: bytes
    statuses: tuple[int, ...] = (200,)
    digits: tuple[int | None, ...] = ()

    def is_answered_by(self, response: Response) -> bool:
        """Return whether a response is a right one. Errors are JSON with one sentence."""
        if response.status not in self.statuses:
            return False
        if response.status != 200:
            return set(response.content) == {"error" if b" /v2/" in self.request[:20] else "detail"}
        return not self.digits or _digits(response.content) == self.digits


def _digits(content: dict[str, Any]) -> tuple[int | None, ...]:
    if "outputs" in content:
        logits = content["outputs"][0]["data"]
        rows = [logits[start : start + CLASSES] for start in range(0, len(logits), CLASSES)]
        return tuple(row.index(max(row)) for row in rows)
    predictions = content.get("predictions", content.get("digits", [content]))
    return tuple(prediction.get("digit") for prediction in predictions)


def post(path: str, content_type: str, body: bytes, headers: str = "") -> bytes:
    """Write a POST request. headers: more lines, which end in CRLF."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{headers}\r\n".encode() + body


def form(field: str, *files: bytes) -> bytes:
    """Write a multipart form that repeats a field. Its boundary is `b`."""
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="d"\r\n\r\n'.encode()
    return b"".join(head + file + b"\r\n" for file in files) + b"--b--\r\n"


def document(image: bytes) -> bytes:
    """Write a JSON document that holds an image in base64."""
    return json.dumps({"image": base64.b64encode(image).decode()}).encode()


def small() -> list[Exchange]:
    """Return every example on every route, and all of them with an invalid file in one batch."""
    files = {example: example_bytes()[example.name] for example in EXAMPLES}
    batch = post("/predict-batch", CONTENT_TYPE, form("files", *files.values(), b"junk"))
    digits = tuple(example.digit for example in EXAMPLES)
    each = chain.from_iterable(_on_all_routes("small", file, example.digit) for example, file in files.items())
    return [*each, *tensors() * len(files), *[Exchange("batch", batch, digits=(*digits, None))] * len(files)]


def photos() -> list[Exchange]:
    """Return images of 12 megapixels on every route: baseline and progressive JPEG of a photo, PNG of a drawing."""
    _, baseline = all_images()["12 MP JPEG"]
    progressive = encode(_decoded(baseline), "JPEG", progressive=True, quality=80)
    drawing = encode(draw(Example(DIGIT, (4000, 3000), "png")).convert("RGB"), compress_level=1)
    return [exchange for file in (baseline, progressive, drawing) for exchange in _on_all_routes("photo", file, DIGIT)]


def documents() -> list[Exchange]:
    """Return a long JSON document: its image has bytes behind its end."""
    image = encode(SEVEN).ljust(DOCUMENT_BYTES, b"\0")
    return [Exchange("document", post("/predict-base64", "application/json", document(image)), digits=(DIGIT,))]


def _gray(file: bytes) -> NDArray[np.uint8]:
    return np.asarray(_decoded(file).convert("L"))


def _decoded(file: bytes) -> Image.Image:
    return Image.open(BytesIO(file))


def _on_all_routes(kind: str, file: bytes, digit: int) -> Iterable[Exchange]:
    bodies = (
        ("/predict", "", file),
        ("/predict", CONTENT_TYPE, form("file", file)),
        ("/predict-image", CONTENT_TYPE, form("image", file)),
        ("/predict-base64", "application/json", document(file)),
        ("/predict-batch", CONTENT_TYPE, form("files", file)),
        ("/predict-number", "", file),
        (INFER, "application/json", inference(file)),
        (INFER, "", *binary_inference(file)),
    )
    return [Exchange(kind, post(*body), digits=(digit,)) for body in bodies]


def inference(file: bytes) -> bytes:
    """Write an inference request that holds an image file in base64."""
    return json.dumps(inference_requests.document(strings(base64.b64encode(file).decode()))).encode()


def binary_inference(file: bytes) -> tuple[bytes, str]:
    """Write an inference request that holds an image file behind its JSON. Returns body and headers."""
    data = elements(file)
    request = with_binary(inference_requests.document(binary(len(data), "BYTES", [1])), data)
    return request["content"], f"{HEADER}: {request['headers'][HEADER]}\r\n"


def tensors() -> list[Exchange]:
    """Return inference requests with the model's inputs of all examples, whose digits are known, as numbers."""
    inputs = np.stack([to_model_input(_gray(example_bytes()[example.name])) for example in EXAMPLES])
    body = json.dumps(inference_requests.document(numbers(inputs))).encode()
    return [Exchange("tensor", post(INFER, "application/json", body), digits=tuple(e.digit for e in EXAMPLES))]


def bad() -> list[Exchange]:
    """Return requests that get an error, and crafted uploads that get an error or a prediction."""
    errors = [
        (404, get("/unknown")),
        (405, get("/predict")),
        (400, b"nonsense\r\n\r\n"),
        (431, get("/health", f"A: {'a' * 40_000}\r\n")),
        (413, post_head(10**12)),
        (400, post("/predict", "image/png", b"")),
        (400, post("/predict", "image/gif", encode(SEVEN, "GIF"))),
        (400, post("/predict", "image/png", encode(SEVEN)[:200])),
        (400, post("/predict-image", CONTENT_TYPE, form("file", b"junk"))),
        (400, post("/predict-base64", "application/json", b'{"image": "?"}')),
        (400, post("/predict-batch", CONTENT_TYPE, form("files", *[encode(SEVEN)] * 65))),
        (400, post("/predict-number", "image/png", encode(SEVEN)[:200])),
        (400, post(INFER, "application/json", inference(b"junk"))),
        (400, post(INFER, "application/json", b'{"inputs": ' + b"[" * 1_000)),
        (404, post("/v2/models/unknown/infer", "application/json", inference(encode(SEVEN)))),
        (405, get(INFER)),
    ]
    return [Exchange("bad", request, (status,)) for status, request in errors] + list(_crafted())


def _crafted() -> Iterable[Exchange]:
    targets = (
        (PNGS, "/predict", "image/png"),
        (JPEGS, "/predict", "image/jpeg"),
        (FORMS, "/predict", CONTENT_TYPE),
        (DOCUMENTS, "/predict-base64", "application/json"),
        (INFERENCES, INFER, "application/json"),
    )
    for generators, path, content_type in targets:
        names = [name for name in generators if not any(word in name for word in LARGE)]
        bodies = [generators[name]() for name in names]
        for body in bodies:
            if len(body) <= MAX_CRAFTED_BYTES:
                yield Exchange("crafted", post(path, content_type, body), (200, 400))
