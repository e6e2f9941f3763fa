"""The evaluation counts right and draws what was misread."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.draw import PICTURES
from export.data import Digits
from export.errors import DataError
from export.evaluate import (
    COLUMNS,
    Reading,
    as_table,
    calibration_error,
    confusion,
    contact_sheet,
    read_mnist,
    read_pictures,
    report,
    summary,
)
from service.classifier import Classifier, Prediction
from tests.conftest import ROOT

CANVAS = np.zeros((28, 28), np.uint8)


def reading(label: int, digit: int | None, confidence: float = 0.8, writer: str = "", kind: str = "") -> Reading:
    rest = (1 - confidence) / 9
    answer = None if digit is None else Prediction(digit, tuple(confidence if d == digit else rest for d in range(10)))
    return Reading(label, answer, CANVAS, writer, kind)


def test_the_confusion_matrix_counts_label_by_answer() -> None:
    """Rows are labels, columns answers, and a refusal is neither lost nor right."""
    counts = confusion([reading(0, 0), reading(0, 6), reading(7, 7), reading(7, 7), reading(7, 1), reading(7, None)])
    assert counts.sum() == 6
    assert (counts[0, 0], counts[0, 6], counts[7, 7], counts[7, 1], counts[7, 10]) == (1, 1, 2, 1, 1)
    assert "50.00%" in as_table(counts)


def test_the_summary_counts_kinds_and_writers() -> None:
    """A writer with few pictures counts as much as one with many."""
    readings = [reading(1, 1, writer="a", kind="photo")] * 9 + [reading(1, 7, writer="b", kind="scan")]
    text = summary("pictures", readings)
    assert "pictures: 90.00% (1 of 10 misread)" in text
    assert "photo: 100.00% (0 of 9 misread)" in text
    assert "scan: 0.00% (1 of 1 misread)" in text
    assert "mean over 2 writers: 50.00%" in text


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """Bin by bin, weighted by how many fall into each."""
    honest = [reading(1, 1, 0.8)] * 8 + [reading(1, 7, 0.8)] * 2
    assert calibration_error(honest) == pytest.approx(0)
    assert calibration_error([reading(1, 1, 0.8)] * 10) == pytest.approx(0.2)
    assert calibration_error(honest + [reading(1, 7, 0.3)] * 10) == pytest.approx(0.15)


@pytest.mark.parametrize("count", [0, 1, COLUMNS, COLUMNS + 1])
def test_the_contact_sheet_has_room_for_all(count: int) -> None:
    """Also for none."""
    assert contact_sheet([reading(0, 1)] * count).height >= 28 * -(-count // COLUMNS)


def test_the_report_finds_the_wrong_label(
    classifier: Classifier, mnist_test: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 200 images, labelled as they are read, one is given another label: it is counted, and drawn."""
    few = mnist_test.take(np.arange(200))
    few.labels[:] = [found.answer.digit for found in read_mnist(classifier, few) if found.answer]
    few.labels[0] = (few.labels[0] + 1) % 10
    report("mnist-test", read_mnist(classifier, few), tmp_path)
    assert "mnist-test: 99.50% (1 of 200 misread)" in capsys.readouterr().out
    assert np.asarray(Image.open(tmp_path / "misread-mnist-test.png")).min() == 0


def test_a_folder_of_pictures_is_read_as_the_service_reads_it(classifier: Classifier, tmp_path: Path) -> None:
    """The examples, and one file that is refused."""
    rows = ["file,label,writer,kind"]
    for picture in PICTURES:
        (tmp_path / picture.name).write_bytes((ROOT / "examples" / picture.name).read_bytes())
        rows.append(f"{picture.name},{picture.digit},w1,paint")
    (tmp_path / "text.png").write_text("seven")
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "text.png,7,w2,scan"]) + "\n")
    readings = read_pictures(classifier, tmp_path)
    assert [found.right for found in readings] == [True] * len(PICTURES) + [False]
    assert readings[-1].answer is None


def test_a_folder_without_labels_is_named(classifier: Classifier, tmp_path: Path) -> None:
    """With what to set."""
    with pytest.raises(DataError, match=r"labels.csv cannot be read \(No such file or directory\). Set WILD_DIR"):
        read_pictures(classifier, tmp_path)
