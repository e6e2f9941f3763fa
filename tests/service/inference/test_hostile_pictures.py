"""Crafted images give a prediction or a RequestError, in bounded memory, and disturb no other image."""

import json
import subprocess
import sys

import pytest

from service.errors import RequestError
from service.inference.classifier import Classifier, Prediction
from service.inference.predictor import Predictor
from tests.conftest import ROOT
from tests.hostile.jpegs import JPEGS
from tests.hostile.png_writer import MAX_SIDE, large
from tests.hostile.pngs import PNGS, Generators
from tests.images import DIGIT, SEVEN, encode

MAX_BYTES = 50_000_000
MAX_MEGABYTES = 64
PICTURES: Generators = {
    **{f"PNG: {name}": generate for name, generate in PNGS.items()},
    **{f"JPEG: {name}": generate for name, generate in JPEGS.items()},
}


@pytest.fixture(scope="module")
def predictor(classifier: Classifier) -> Predictor:
    return Predictor(classifier, MAX_BYTES)


@pytest.mark.parametrize("name", PICTURES)
def test_crafted_picture_is_predicted_or_rejected_alone(
    predictor: Predictor, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Return a result for it, alike in bytes and in a bytearray, and the right ones for the others in its batch."""
    crafted, seven = PICTURES[name](), encode(SEVEN)
    first, result, same, last = predictor.predict_batch([seven, crafted, bytearray(crafted), seven])
    assert isinstance(result, Prediction | RequestError)
    assert str(result) == str(same)
    for other in (first, last):
        assert isinstance(other, Prediction)
        assert other.digit == DIGIT
    assert not caplog.records  # of unexpected exceptions


RIGHT = {
    "PNG: tRNS on 8-bit gray",
    "PNG: tRNS on RGB",
    "PNG: IHDR after the image",
    "PNG: no IEND",
    "PNG: zeros after IEND",
    "PNG: image data on both sides of a text",
    "PNG: unknown critical chunk",
    "PNG: iTXt chunks that inflate",
    "PNG: iCCP that inflates",
    "PNG: APNG",
    "PNG: 9,900 empty IDATs",
    "JPEG: APP1 of 9.9 MB",
    "JPEG: EXIF with a thumbnail",
    "JPEG: multi-image format",
    "JPEG: bytes behind the end",
    "JPEG: progressive photo",
    "JPEG: CMYK photo",
    "JPEG: RGB photo",
    "JPEG: photo with restart markers",
}


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_unusual_but_legal_picture_is_read(predictor: Predictor, name: str) -> None:
    """Read the seven from images that programs write, however rarely."""
    assert predictor.predict(PICTURES[name]()).digit == DIGIT


BATCH_PROGRAM = """
import sys
from service.inference.classifier import Classifier
from service.inference.contract import Contract
from service.inference.predictor import Predictor
from service.settings import Settings
from tests.hostile.__main__ import memory
settings = Settings()
predictor = Predictor(Classifier(Contract.verify(settings.weights_dir / settings.model)), 50_000_000)
image_bytes = sys.stdin.buffer.read()
predictor.predict_batch([image_bytes])
before = memory("VmHWM")  # unlike ru_maxrss, it does not include what the parent took
predictor.predict_batch([image_bytes] * 16)
print((memory("VmHWM") - before) / 1e6)
"""


def run_python(*arguments: str, stdin: bytes = b"") -> str:
    """Return what Python prints in a process of its own."""
    finished = subprocess.run([sys.executable, *arguments], cwd=ROOT, input=stdin, capture_output=True, check=True)
    return finished.stdout.decode()


LARGE_PICTURES: Generators = {
    "48 megapixels": lambda: large(MAX_SIDE, 2_400),
    "no digit found": PNGS["mask: shaded checkerboard, full"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE_PICTURES)
def test_batch_takes_hardly_more_memory_than_its_largest_picture(name: str) -> None:
    """Predict 16 images one after the other, or find no digit in them, with at most 32 MB more than for one of them."""
    assert float(run_python("-c", BATCH_PROGRAM, stdin=LARGE_PICTURES[name]())) < 32


@pytest.mark.slow
def test_crafted_uploads_take_bounded_memory() -> None:
    """Raise the peak memory of a process by at most 64 MB for any crafted image, form or document."""
    measured = {
        f"{m['kind']}: {m['name']}": m["megabytes"] for m in json.loads(run_python("-m", "tests.hostile", "--json"))
    }
    assert len(measured) > len(PICTURES)
    assert {name: megabytes for name, megabytes in measured.items() if megabytes > MAX_MEGABYTES} == {}
