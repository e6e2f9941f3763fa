"""The evaluation counts right and draws what was misread."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export.data import Digits
from export.evaluate import COLUMNS, as_table, confusion, contact_sheet, evaluate, read_all
from service.classifier import Classifier, Prediction
from service.settings import WEIGHTS


def test_the_confusion_matrix_counts_label_by_answer() -> None:
    """Rows are labels, columns answers."""
    counts = confusion(np.array([0, 0, 7, 7, 7]), np.array([0, 6, 7, 7, 1]))
    assert counts.sum() == 5
    assert (counts[0, 0], counts[0, 6], counts[7, 7], counts[7, 1]) == (1, 1, 2, 1)
    assert "66.67%" in as_table(counts)


@pytest.mark.parametrize("count", [0, 1, COLUMNS, COLUMNS + 1])
def test_the_contact_sheet_has_room_for_all(count: int) -> None:
    """Also for none."""
    digits = Digits(np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.int64))
    answers = [Prediction(1, (0.0, 1.0, *[0.0] * 8))] * count
    assert contact_sheet(digits, answers).height >= 28 * -(-count // COLUMNS)


def test_the_evaluation_finds_the_wrong_label(
    classifier: Classifier, mnist_test: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 200 images, labelled as they are read, one is given another label: it is counted, and drawn."""
    few = mnist_test.take(np.arange(200))
    few.labels[:] = [answer.digit for answer in read_all(classifier, few)]
    few.labels[0] = (few.labels[0] + 1) % 10
    evaluate("cnn-transformer", WEIGHTS, tmp_path, few)
    assert "99.50% (1 of 200 misread)" in capsys.readouterr().out
    assert np.asarray(Image.open(tmp_path / "misread.png")).min() == 0
