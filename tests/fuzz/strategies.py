"""Hypothesis strategies: well-formed images, forms and documents, from small to odd, and corrupted images."""

import base64
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from service.imaging import png
from tests.fuzz.mutations import corrupt
from tests.hostile import png_writer
from tests.images import encode

SIDES = st.integers(1, 70)
TYPES = st.sampled_from(
    [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)]
)
"""Bit depth and color type of PNG files."""

MISPLACED = st.sampled_from([b"tEXt", b"eXIf", b"tRNS", b"PLTE", b"iCCP", b"acTL", b"prVt", b"IDAT", b"IHDR", b"IEND"])
FIELDS = st.sampled_from(["file", "image", "files", "", "other"])
TOKENS = st.text("ABCdef0123456789'()+_,-./:=?", min_size=1, max_size=70)
"""What RFC 2046 allows in a boundary, but for blanks."""


@st.composite
def pngs(draw: st.DrawFn) -> bytes:
    """Draw a PNG file of any color type, with other chunks before and after its data."""
    width, height, (depth, color) = draw(SIDES), draw(SIDES), draw(TYPES)
    bits, seed = depth * png_writer.CHANNELS[color], draw(st.integers(0, 9))
    interlace = draw(st.integers(0, 1))
    write = png_writer.interlaced_rows if interlace else png_writer.rows
    data = zlib.compress(write(width, height, bits, seed=seed))
    before, after = (draw(st.lists(st.builds(png_writer.chunk, MISPLACED, st.binary(max_size=40)))) for _ in range(2))
    palette = [png_writer.PLTE] if color == png_writer.PALETTE else []
    header = png_writer.header(width, height, depth, color, interlace)
    return png_writer.file(header, *palette, *before, png_writer.chunk(b"IDAT", data), *after, png_writer.END)


@st.composite
def jpegs(draw: st.DrawFn) -> bytes:
    """Draw a JPEG file of any color model, subsampling and number of scans."""
    pixels = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 256, (draw(SIDES), draw(SIDES)), np.uint8)
    image = Image.fromarray(pixels).convert(draw(st.sampled_from(["L", "RGB", "CMYK"])))
    return encode(
        image,
        "JPEG",
        quality=draw(st.integers(1, 100)),
        subsampling=draw(st.sampled_from([0, 1, 2])),
        progressive=draw(st.booleans()),
        restart_marker_blocks=draw(st.integers(0, 3)),
    )


PICTURES = pngs() | jpegs()


@st.composite
def corrupted_pictures(draw: st.DrawFn) -> bytes:
    """Draw an image, corrupted at some places or spliced with another one."""
    return corrupt(draw(PICTURES), draw(PICTURES), random.Random(draw(st.integers(0, 2**32))))


@dataclass(frozen=True)
class Form:
    """A well-formed body, its boundary, and the name, file name and content of each part."""

    boundary: bytes
    body: bytes
    parts: list[tuple[bytes, bytes | None, bytes]]


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Draw a form as programs write it, with any bytes in its parts."""
    boundary = draw(TOKENS).encode()
    contents = st.binary() | st.lists(st.sampled_from([b"\r\n", b"--", b"-", boundary, b"\0"])).map(b"".join)
    filenames = st.none() | st.text(st.characters(exclude_characters='"\\\r\n', max_codepoint=0x2000), max_size=20)
    parts, written = [], b""
    for name, filename, content in draw(st.lists(st.tuples(FIELDS, filenames, contents), max_size=5)):
        if b"\r\n--" + boundary in b"\r\n" + content + b"\r\n":
            continue
        shown = "" if filename is None else f'; filename="{filename}"'
        headers = f'Content-Disposition: form-data; name="{name}"{shown}\r\nContent-Type: image/png\r\n'
        written += b"--" + boundary + b"\r\n" + headers.encode() + b"\r\n" + content + b"\r\n"
        parts.append((name.encode(), None if filename is None else filename.encode(), content))
    return Form(boundary, written + b"--" + boundary + b"--\r\n", parts)


@dataclass(frozen=True)
class Document:
    """A valid JSON document, and the image that it holds at key `image`."""

    body: bytes
    image: bytes


KEYS = st.sampled_from(["a", "meta", '"image', "image "]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.sampled_from(["image", '"image": "AAAA"']),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(KEYS | st.just("image"), values, max_size=3),
    max_leaves=10,
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw a document with any other keys, and base64 in any of its variants."""
    image = png.SIGNATURE + draw(st.binary(max_size=300))
    text = draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes]))(image).decode()
    text = draw(st.sampled_from(["", "data:;base64,", "data:image/png;base64,"])) + text
    text = text.rstrip("=") if draw(st.booleans()) else text
    before, after = ({k: v for k, v in draw(st.dictionaries(KEYS, VALUES)).items() if k != "image"} for _ in range(2))
    document = json.dumps({**before, "image": text, **after}, ensure_ascii=draw(st.booleans()))
    document = document.replace("/", "\\/") if draw(st.booleans()) else document
    return Document(document.encode("utf-8", "surrogatepass"), image)


@dataclass(frozen=True)
class Inference:
    """A valid inference request in JSON, and its images: nested lists of numbers, or files."""

    body: bytes
    images: list[Any]


@st.composite
def inferences(draw: st.DrawFn) -> Inference:
    """Draw a request with any other keys, its data flat or nested, with or without blanks."""
    count, is_nested = draw(st.integers(1, 3)), draw(st.booleans())
    images: list[Any]
    given: tuple[str, Sequence[int], list[Any]]
    if draw(st.booleans()):
        tensor = np.random.default_rng(draw(st.integers(0, 9))).normal(size=(count, 1, 28, 28)).astype(np.float32)
        images = tensor.tolist()
        given = ("FP32", tensor.shape, images if is_nested else tensor.ravel().tolist())
    else:
        images = [png.SIGNATURE + draw(st.binary(max_size=300)) for _ in range(count)]
        texts = [base64.b64encode(image).decode() for image in images]
        given = ("BYTES", [count, 1] if is_nested else [count], [[text] for text in texts] if is_nested else texts)
    entry = dict(zip(("datatype", "shape", "data"), given, strict=True))
    entry = dict(draw(st.permutations([*{**_others(draw, "parameters"), "name": "image", **entry}.items()])))
    request = {**_others(draw, "id", "outputs", "parameters", "inputs"), "inputs": [entry]}
    body = json.dumps(request, indent=draw(st.none() | st.integers(0, 2)), ensure_ascii=draw(st.booleans()))
    body = body.replace("/", "\\/") if draw(st.booleans()) else body
    return Inference(body.encode("utf-8", "surrogatepass"), images)


def _others(draw: st.DrawFn, *known: str) -> dict[str, Any]:
    """Draw keys that do not matter, with `data` among those of objects in them."""
    keys = KEYS | st.just("data")
    return {key: value for key, value in draw(st.dictionaries(keys, VALUES)).items() if key not in (*known, "data")}
