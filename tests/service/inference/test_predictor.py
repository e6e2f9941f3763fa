"""A predictor returns the digit of a PNG or JPEG file, one by one or for a batch in one run of the model."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from service.errors import ImageError, RequestError
from service.imaging.decode import EncodedImage, open_image
from service.inference.chunks import split_batch
from service.inference.classifier import Classifier, Prediction
from service.inference.predictor import Predictor
from tests.conftest import ROOT
from tests.images import DIGIT, SEVEN, empty_png, encode

MAX_BYTES = 50_000_000
EXAMPLES = {path.name: path.read_bytes() for path in sorted((ROOT / "examples").glob("*.[pj][np]g"))}
FILES = list(EXAMPLES.values())


@pytest.fixture(scope="module")
def predictor(classifier: Classifier) -> Predictor:
    return Predictor(classifier, MAX_BYTES)


@pytest.mark.parametrize("mistake", ["digit.png", None, BytesIO(FILES[0]), memoryview(FILES[0])])
def test_other_types_than_bytes_raise_a_type_error(predictor: Predictor, mistake: Any) -> None:
    """Say what to pass instead, for one image and for a batch."""
    for predict in (predictor.predict, lambda value: predictor.predict_batch([FILES[0], value])):
        with pytest.raises(TypeError, match=r"Path\(name\).read_bytes\(\)"):
            predict(mistake)
    with pytest.raises(TypeError, match="int is not the bytes of a file"):
        predictor.predict_batch(FILES[0])  # type: ignore[arg-type]  # a file instead of a list


class RecordingClassifier(Classifier):
    """The real classifier, which also records the size of each batch."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.sizes: list[int] = []

    def classify(self, images: NDArray[np.float32]) -> list[Prediction]:
        self.sizes.append(len(images))
        return super().classify(images)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_predicted_correctly(predictor: Predictor, name: str) -> None:
    """Predict the digit of every example image. The label is the first character of its name."""
    assert predictor.predict(EXAMPLES[name]).digit == int(name[0])


COLORS = {
    "blue on white": ((20, 40, 200), (255, 255, 255)),
    "yellow on white": ((255, 240, 0), (255, 255, 255)),
    "orange on black": ((255, 140, 0), (0, 0, 0)),
    "white on green": ((255, 255, 255), (0, 120, 60)),
    "red on equally bright green": ((200, 0, 0), (0, 102, 0)),
    "blue on equally bright gray": ((0, 80, 255), (76, 76, 76)),
}


@pytest.mark.parametrize("name", COLORS)
def test_ink_of_any_color_is_predicted_correctly(predictor: Predictor, name: str) -> None:
    """Predict the digit of colored ink, even if ink and background have the same brightness."""
    ink, background = COLORS[name]
    page = Image.new("RGB", SEVEN.size, background)
    page.paste(Image.new("RGB", SEVEN.size, ink), mask=Image.eval(SEVEN, lambda level: 255 - level))
    assert predictor.predict(encode(page)).digit == DIGIT


def test_batch_agrees_with_single_predictions(predictor: Predictor) -> None:
    """Return for each file of a batch what it gets alone, in order, up to the rounding of int8."""
    for file, prediction in zip(FILES, predictor.predict_batch(FILES), strict=True):
        assert isinstance(prediction, Prediction)
        alone = predictor.predict(file)
        assert prediction.digit == alone.digit
        assert prediction.probabilities == pytest.approx(alone.probabilities, abs=0.02)


def test_invalid_file_gets_its_error_at_its_index(predictor: Predictor) -> None:
    """Return the error of a file that cannot be decoded, of a blank one, and one that was given, each at its index."""
    given = RequestError("given")
    blank = encode(Image.new("L", (28, 28), 255))
    results = predictor.predict_batch([FILES[0], FILES[1][:50], blank, given, FILES[1]])
    first, truncated, without_ink, passed_through, last = results
    assert isinstance(first, Prediction)
    assert isinstance(last, Prediction)
    assert "damaged or truncated" in str(truncated)
    assert "no digit found" in str(without_ink)
    assert passed_through is given
    assert [first.digit, last.digit] == [int(name[0]) for name in list(EXAMPLES)[:2]]


@pytest.mark.parametrize("files", [[], [b""], [b"", RequestError("given")]])
def test_batch_without_valid_files_returns_only_errors(predictor: Predictor, files: list[bytes | RequestError]) -> None:
    """Return one error per file, without a run of the model, if no file is valid."""
    results = predictor.predict_batch(files)
    assert len(results) == len(files)
    assert all(isinstance(result, RequestError) for result in results)


def test_batch_is_one_run_of_the_model(classifier: Classifier) -> None:
    """Run the model once for all valid files of a batch."""
    recording = RecordingClassifier(classifier.contract)
    Predictor(recording, MAX_BYTES).predict_batch([*FILES, b"not an image"])
    assert recording.sizes == [len(FILES)]


class FaultyFile(PngImageFile):
    """A file whose decoder fails in a way that nobody expected."""

    def load(self) -> None:
        raise RuntimeError("defect")


def faulty() -> EncodedImage:
    return replace(open_image(FILES[0], MAX_BYTES), image=FaultyFile(BytesIO(FILES[0])))


def test_unexpected_exception_is_an_error_of_its_image_alone(predictor: Predictor) -> None:
    """Return an ImageError for the image, and the predictions of the others in its batch."""
    images = [predictor.open(FILES[0]), faulty(), predictor.open(FILES[1])]
    first, error, last = predictor.predict_opened_batch(images)
    assert isinstance(first, Prediction)
    assert isinstance(last, Prediction)
    assert str(error) == "Error processing image: it could not be processed. Send it as an ordinary PNG or JPEG file."
    with pytest.raises(ImageError, match="it could not be processed"):
        predictor.begin(faulty())


def test_unexpected_exception_is_logged_in_one_line(predictor: Predictor, caplog: pytest.LogCaptureFixture) -> None:
    """Log type, place and a fingerprint of the image, but no traceback: a client could fill the log with them."""
    with pytest.raises(ImageError):
        predictor.begin(faulty())
    (record,) = caplog.records
    fingerprint = hashlib.sha256(FILES[0]).hexdigest()[:16]
    assert re.fullmatch(rf"Unexpected RuntimeError in .*:\d+ for image {fingerprint}\.", record.getMessage())
    assert record.exc_info is None


@pytest.mark.parametrize(
    ("megapixels", "sizes"),
    [
        ([0.01] * 33, [32, 1]),
        ([5, 5, 5], [2, 1]),
        ([4, 7, 2, 1], [1, 3]),
        ([12, 12], [1, 1]),
        ([0.01, 12, 0.01], [1, 1, 1]),
        ([], []),
    ],
)
def test_batch_is_split_by_number_and_memory(megapixels: list[float], sizes: list[int]) -> None:
    """Split a batch into chunks of 32 images and ten megabytes of decoding, in order. A larger image is alone."""
    images = [open_image(empty_png(1_000, round(1_000 * side)), MAX_BYTES) for side in megapixels]
    chunks = list(split_batch(images))
    assert [len(chunk) for chunk in chunks] == sizes
    assert [image for chunk in chunks for image in chunk] == images


def test_memory_limit_applies_to_each_file(classifier: Classifier) -> None:
    """Reject a file that needs more than `max_decoded_bytes`, alone or in a batch."""
    predictor = Predictor(classifier, max_decoded_bytes=40_000)
    large, small = (encode(Image.new("L", (side, side))) for side in (201, 200))
    with pytest.raises(ImageError, match="201 x 201 of them would take"):
        predictor.predict(large)
    for result, reason in zip(predictor.predict_batch([large, small]), ["would take", "no digit found"], strict=True):
        assert reason in str(result)


def test_threads_may_share_a_predictor(predictor: Predictor) -> None:
    """Return the same predictions from eight threads at once as one after the other."""
    with ThreadPoolExecutor(8) as threads:
        concurrent = list(threads.map(predictor.predict, FILES * 5))
    assert concurrent == [predictor.predict(file) for file in FILES] * 5
