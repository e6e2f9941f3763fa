"""Seeds of each target: the examples, files of every kind, and the crafted uploads that are not large."""

import base64
import json
import random
from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image

from tests.fuzz.mutations import corrupt, corruptions_at
from tests.fuzz.targets import BINARY, ROUTES
from tests.golden import example_bytes
from tests.hostile.documents import DOCUMENTS
from tests.hostile.forms import FORMS
from tests.hostile.inferences import INFERENCES
from tests.hostile.jpegs import JPEGS
from tests.hostile.pngs import PNGS, Generators
from tests.images import SEVEN, encode
from tests.service.web.inference_requests import (
    HEADER,
    INFER,
    binary,
    document,
    elements,
    numbers,
    strings,
    with_binary,
)

MAX_SEED_BYTES = 31_000
"""The largest example has 30,507."""

LARGE = ("MB", "largest", "inflate", "million", "0,000", "noise", "full", "tall", "wide")
"""Words in the names of crafted uploads that take too long to write or to read."""

SMALL = SEVEN.resize((28, 28))


@cache
def seeds(target: str) -> list[bytes]:
    """Return the valid and the crafted inputs of a target."""
    inputs = SEEDS[target]()
    return [seed for seed in inputs if len(seed) <= MAX_SEED_BYTES]


def corruptions(target: str, seed: int) -> Iterator[bytes]:
    """Yield corrupted seeds without end: at random places, between chunks or segments, and spliced with each other."""
    rng, inputs = random.Random(seed), seeds(target)
    while True:
        yield corrupt(rng.choice(inputs), rng.choice(inputs), rng)


def every_corruption(target: str, seed: int) -> Iterator[bytes]:
    """Yield each seed cut at every length, and with every byte changed in five ways, in random order."""
    places = [(whole, index) for whole in seeds(target) for index in range(len(whole))]
    random.Random(seed).shuffle(places)
    for whole, index in places:
        yield from corruptions_at(whole, index)


def _crafted(generators: Generators) -> list[bytes]:
    uploads = (generate() for name, generate in generators.items() if not any(word in name for word in LARGE))
    return [upload for upload in uploads if len(upload) <= MAX_SEED_BYTES]  # the large ones add up to a gigabyte


def _pictures() -> list[bytes]:
    rgb, gray = SMALL.convert("RGB"), np.asarray(SMALL)
    return [
        *example_bytes().values(),
        *(encode(SMALL.convert(mode)) for mode in ("L", "LA", "RGB", "RGBA", "P", "1")),
        encode(Image.fromarray(gray.astype(np.uint16) << 8)),
        encode(SMALL, transparency=255),
        encode(rgb, transparency=(255, 255, 255)),
        encode(SMALL.convert("P"), transparency=0),
        *(encode(rgb, "JPEG", subsampling=kind, progressive=progressive) for kind in (0, 2) for progressive in (0, 1)),
        encode(SMALL, "JPEG", restart_marker_blocks=1),
        encode(rgb.convert("CMYK"), "JPEG"),
        encode(rgb, "JPEG", keep_rgb=True),
        *_crafted(PNGS),
        *_crafted(JPEGS),
    ]


def _forms() -> list[bytes]:
    return [b"; boundary=b\n" + crafted for crafted in _crafted(FORMS)] + [
        b'; boundary="a b"\n--a b\r\nContent-Disposition: form-data; name="file"; filename="d"\r\n\r\nx\r\n--a b--\r\n',
        b"; charset=utf-8; boundary=b\n--b\r\na: b\r\n\r\n\r\n--b \t\r\n\r\n--b--",
    ]


def _documents() -> list[bytes]:
    text = base64.b64encode(encode(SMALL)).decode()
    variants = (text, f"data:image/png;base64,{text}", text.rstrip("="), text.replace("+", "-").replace("/", "_"))
    return [json.dumps({"image": variant}).encode() for variant in variants] + [
        json.dumps({"image": text}).encode("utf-16"),
        json.dumps({"a": [1, {"image": "x"}], "image": text, "b": None}).encode(),
        json.dumps({"image": text}).replace("/", "\\/").encode(),
        *_crafted(DOCUMENTS),
    ]


def _inferences() -> list[bytes]:
    digit = np.asarray(SMALL, np.float32).reshape(1, 1, 28, 28)
    text = base64.b64encode(encode(SMALL)).decode()
    outputs = [{"name": "logits", "parameters": {"binary_data": True}}, {"name": "probabilities"}]
    requests = [
        document(numbers(digit), id="1", outputs=outputs),
        document(numbers(digit, data=digit.tolist()), parameters={"binary_data_output": True}),
        document(strings(text, text)),
        document(strings(data=[[text]], shape=[1, 1])),
    ]
    return [json.dumps(request).encode() for request in requests] + _crafted(INFERENCES)


def _binary_inferences() -> list[bytes]:
    digit, files = np.asarray(SMALL, np.float32).tobytes(), elements(encode(SMALL), encode(SMALL, "JPEG"))
    requests = [
        with_binary(document(binary(len(digit), shape=(1, 1, 28, 28))), digit),
        with_binary(document(binary(len(files), "BYTES", [2])), files),
        {"content": digit, "headers": {HEADER: "0"}},
    ]
    return [int(request["headers"][HEADER]).to_bytes(2, "little") + request["content"] for request in requests]


def _requests() -> list[bytes]:
    images, forms = _pictures(), [seed.partition(b"\n")[2] for seed in _forms()]
    inputs = {"": images, "image/jpeg": images, "application/json": _documents(), BINARY: _binary_inferences()}
    bodies = [
        _inferences() if route == (INFER, "application/json") else inputs.get(route[1], forms) for route in ROUTES
    ]
    return [bytes((index,)) + body for index, of_route in enumerate(bodies) for body in of_route]


SEEDS = {"decode": _pictures, "form": _forms, "document": _documents, "inference": _inferences, "app": _requests}
