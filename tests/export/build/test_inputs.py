"""Export inputs are preprocessed as the service does."""

from pathlib import Path

import numpy as np

from export.build.inputs import (
    EXAMPLES,
    ExportInputs,
    calibration_images,
    example_images,
    mnist_inputs,
    random_images,
    wild_inputs,
)
from export.data.dataset import Dataset
from service.imaging.decode import decode
from service.imaging.normalize import to_model_input
from tests.images import SEVEN, encode

INK = 255 - np.asarray(SEVEN.resize((28, 28)))
DIGITS = Dataset(INK[np.newaxis].repeat(3, axis=0), np.array([7, 7, 7]))


def test_mnist_is_standardized() -> None:
    """Gives what the service feeds the model for the same pixels."""
    inputs = mnist_inputs(DIGITS)
    assert np.array_equal(inputs.images[0], to_model_input(INK))
    assert inputs.labels.tolist() == [7, 7, 7]


def test_calibration_uses_each_digit_plain_and_photographed() -> None:
    """Gives the plain digits first, then as many photographed ones, all different."""
    images = calibration_images(DIGITS, 2)
    assert images.shape == (4, 1, 28, 28)
    assert images.dtype == np.float32
    assert np.array_equal(images[0], to_model_input(INK))
    assert len({image.tobytes() for image in images}) == 3


def test_rejected_wild_images_are_left_out(tmp_path: Path) -> None:
    """Keeps image and label of the files that the service accepts."""
    (tmp_path / "seven.png").write_bytes(encode(SEVEN))
    (tmp_path / "text.png").write_text("seven")
    (tmp_path / "labels.csv").write_text("file,label,writer,kind\ntext.png,1,a,scan\nseven.png,7,b,paint\n")
    inputs = wild_inputs(tmp_path)
    assert inputs.labels.tolist() == [7]
    assert np.array_equal(inputs.images[0], to_model_input(decode(encode(SEVEN), 10**8)))


def test_every_example_is_used() -> None:
    """Loads the PNG and JPEG files of the repository's examples."""
    assert example_images(EXAMPLES).shape == (12, 1, 28, 28)


def test_random_images_are_the_same_every_time() -> None:
    """Draws standard normal noise from a fixed seed; fewer images are the first ones."""
    images = random_images()
    assert np.array_equal(images[:10], random_images(10))
    assert abs(float(images.mean())) < 0.01
    assert abs(float(images.std()) - 1) < 0.01


def test_parity_covers_labeled_and_unlabeled_images() -> None:
    """Lists every source by name."""
    labeled = mnist_inputs(DIGITS)
    inputs = ExportInputs(labeled.images, {"mnist-test": labeled}, {"random": random_images(2)})
    assert {name: len(images) for name, images in inputs.images.items()} == {"mnist-test": 3, "random": 2}
