"""A classifier starts only if its model computes what the contract says, and returns probabilities."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import ModelError
from service.imaging.normalize import to_model_input
from service.inference.classifier import RUN_SIZE, SELF_TEST_TOLERANCE, Classifier, Prediction, softmax
from service.inference.contract import CONTRACT_FILE, Contract
from service.inference.session import Session
from tests.conftest import WEIGHTS
from tests.images import DIGIT, SEVEN

SEVEN_INPUT = to_model_input(np.asarray(SEVEN))[np.newaxis]
MODELS = sorted(path.parent.name for path in WEIGHTS.glob(f"*/{CONTRACT_FILE}"))


def change_logit(folder: Path, change: float) -> Contract:
    """Return the default model's contract, with one self-test logit changed."""
    content = json.loads((folder / CONTRACT_FILE).read_text())
    content["files"][content["serves"]]["self_test"][3] += change
    return Contract(folder, content)


@pytest.mark.parametrize("model", MODELS)
def test_committed_model_passes_its_self_test(model: str) -> None:
    """Load every model in the repository, and predict a clear seven with it."""
    (prediction,) = Classifier(Contract.verify(WEIGHTS / model)).classify(SEVEN_INPUT)
    assert prediction.digit == DIGIT
    assert prediction.confidence > 0.9


@pytest.mark.parametrize("count", [1, RUN_SIZE, RUN_SIZE + 1, 3 * RUN_SIZE])
def test_many_images_take_the_memory_of_a_few(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the model on RUN_SIZE images at most, and return the predictions of all in order."""
    sizes: list[int] = []
    run = Session.logits

    def record(session: Session, images: NDArray[np.float32]) -> NDArray[np.float32]:
        sizes.append(len(images))
        return run(session, images)

    monkeypatch.setattr(Session, "logits", record)
    classifier = Classifier(Contract.verify(WEIGHTS / MODELS[0]))
    images = SEVEN_INPUT * np.linspace(1, 0.5, count, dtype=np.float32).reshape(-1, 1, 1, 1)
    sizes.clear()
    predictions = classifier.classify(images)
    assert max(sizes) <= RUN_SIZE
    assert sum(sizes) == count
    for prediction, image in zip(predictions, images, strict=True):
        assert prediction.probabilities == pytest.approx(
            classifier.classify(image[np.newaxis])[0].probabilities, abs=0.01
        )


@pytest.mark.parametrize("change", [1.0, -1.0, 100.0, float("nan")])
def test_failed_self_test_is_rejected(change: float) -> None:
    """Raise ModelError if a self-test logit differs from the contract's by more than the tolerance, or is NaN."""
    assert not abs(change) <= max(SELF_TEST_TOLERANCE.values())
    with pytest.raises(ModelError, match="the self-test's logits are off by"):
        Classifier(change_logit(WEIGHTS / "cnn-transformer", change))


def test_predictions_are_in_the_order_of_the_images(classifier: Classifier) -> None:
    """Return one prediction per image of a batch, in order."""
    one = np.zeros_like(SEVEN_INPUT)
    one[..., 4:24, 13:15] = SEVEN_INPUT.max()
    batch = np.concatenate([SEVEN_INPUT, one, SEVEN_INPUT])
    assert [prediction.digit for prediction in classifier.classify(batch)] == [DIGIT, 1, DIGIT]


def test_probabilities_sum_to_one(classifier: Classifier) -> None:
    """Return ten probabilities that sum to 1. The confidence is the highest of them."""
    images = np.random.default_rng(0).normal(0, 1, (20, 1, 28, 28)).astype(np.float32)
    for prediction in classifier.classify(images):
        assert len(prediction.probabilities) == 10
        assert sum(prediction.probabilities) == pytest.approx(1)
        assert prediction.confidence == max(prediction.probabilities)


@pytest.mark.parametrize("shift", [0.0, 1_000.0, -1_000.0])
def test_softmax_does_not_overflow(shift: float) -> None:
    """Return the same probabilities for shifted logits, however large."""
    expected = [math.exp(-3) / (1 + math.exp(-3)), 1 / (1 + math.exp(-3))]
    assert softmax([shift - 3, shift]) == pytest.approx(expected)


def test_confidence_is_the_probability_of_the_digit() -> None:
    """Return the probability at the index of the digit."""
    assert Prediction(2, (0.1, 0.2, 0.7)).confidence == 0.7
