"""Rows are printed as a table, as JSON or as CSV, or written as a Parquet file."""

import csv
import json
from pathlib import Path

import pytest

from service.inference.classifier import Classifier
from service.inference.predictor import Predictor
from tests.conftest import ROOT
from tests.images import DIGIT
from tests.service.cli.command import NUMBER, PNG, environment, run

EXAMPLES = sorted((ROOT / "examples").glob("*.[pj][np]g"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder of two images and a file that is no image."""
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.png").write_bytes(PNG)
    (folder / "b.png").write_bytes(NUMBER)
    (folder / "c, \n.txt").write_text("no image")
    return folder


def test_examples_are_read_as_the_predictor_reads_them(classifier: Classifier) -> None:
    """Print what `Predictor.predict` returns for each example, in order, and exit with 0."""
    finished = run("--json", *EXAMPLES)
    records = [json.loads(line) for line in finished.stdout.splitlines()]
    assert finished.returncode == 0
    assert finished.stderr == ""
    assert [record["file"] for record in records] == [str(path) for path in EXAMPLES]
    predictor = Predictor(classifier, 50_000_000)
    for path, record in zip(EXAMPLES, records, strict=True):
        prediction = predictor.predict(path.read_bytes())
        assert record["digit"] == prediction.digit
        assert record["probabilities"] == pytest.approx(prediction.probabilities, abs=0.02)
        assert record["confidence"] == record["probabilities"][record["digit"]]
        assert record["error"] is None


def test_table_has_a_header_and_one_line_per_file(folder: Path) -> None:
    """Align file, digit and confidence; give the reason of a failure; escape a name that would break the line."""
    finished = run("scans", cwd=folder.parent)
    header, first, _, failed = finished.stdout.splitlines()
    assert header.split() == ["file", "digit", "confidence"]
    assert first.split()[:2] == ["scans/a.png", str(DIGIT)]
    assert 0.9 < float(first.split()[2]) <= 1
    assert failed.startswith("scans/c, \\n.txt ")
    assert failed.endswith("Error processing image: the bytes are neither a PNG nor a JPEG file.")
    assert finished.stderr == "digit-predict: 1 of 3 files could not be read.\n"
    assert finished.returncode == 1


def test_csv_has_a_header_and_one_record_per_file(folder: Path) -> None:
    """Quote names; leave digit and confidence of a failure empty; say the reason on standard error, too."""
    finished = run("--csv", "scans", cwd=folder.parent)
    first, _, failed = csv.DictReader(finished.stdout.splitlines(keepends=True))
    assert (first["file"], first["digit"], first["error"]) == ("scans/a.png", str(DIGIT), "")
    reason = "Error processing image: the bytes are neither a PNG nor a JPEG file."
    assert failed == {"file": "scans/c, \n.txt", "digit": "", "confidence": "", "error": reason}
    assert finished.stderr.splitlines()[0] == f"digit-predict: scans/c, \\n.txt: {reason}"


def test_number_reads_every_digit_of_a_line(folder: Path) -> None:
    """Give the number as text and each digit with its box, and a single digit as a number of one."""
    single, number, _ = (json.loads(line) for line in run("--json", "--number", folder).stdout.splitlines())
    assert (single["number"], number["number"]) == (str(DIGIT), "407")
    assert [digit["digit"] for digit in number["digits"]] == [4, 0, 7]
    lefts = [digit["box"][0] for digit in number["digits"]]
    assert lefts == sorted(lefts)
    assert 0.5 < number["confidence"] <= 1
    assert "   407      " in run("--number", folder / "b.png").stdout


@pytest.mark.parametrize("options", [[], ["--number"]])
def test_parquet_holds_the_records_of_json(folder: Path, options: list[str]) -> None:
    """Write the keys and values of --json as columns, with nulls; leave no other file behind."""
    parquet = pytest.importorskip("pyarrow.parquet")
    finished = run("--parquet", "rows.parquet", "scans", *options, cwd=folder.parent)
    printed = run("--json", "scans", *options, cwd=folder.parent)
    assert finished.returncode == 1
    assert finished.stdout == ""
    table = parquet.read_table(folder.parent / "rows.parquet")
    assert table.to_pylist() == [json.loads(line) for line in printed.stdout.splitlines()]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["rows.parquet", "scans"]


def test_missing_pyarrow_is_named(tmp_path: Path) -> None:
    """Exit with 2 and say what to install."""
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text("import sys\nsys.modules['pyarrow'] = None\nsys.path[:] = [p for p in sys.path if p]\n")
    environ = {"PYTHONPATH": f"{tmp_path}:{environment()['PYTHONPATH']}"}
    finished = run("--parquet", tmp_path / "rows.parquet", EXAMPLES[0], environ=environ)
    assert finished.stderr == "digit-predict: --parquet needs pyarrow. Install it: pip install pyarrow.\n"
    assert finished.returncode == 2


def test_output_that_cannot_be_created_aborts_the_start(tmp_path: Path) -> None:
    """Exit with 2 before anything is read, and name the file."""
    finished = run("--show", tmp_path / "none" / "sheet.png", EXAMPLES[0])
    assert finished.stdout == ""
    assert (
        finished.stderr == f"digit-predict: {tmp_path}/none/sheet.png cannot be written (No such file or directory).\n"
    )
    assert finished.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [([], "required: INPUT"), (["--json", "--csv", "x"], "not allowed with"), (["--jobs", "-1", "x"], "jobs")],
)
def test_invalid_arguments_are_explained(arguments: list[str], reason: str) -> None:
    """Exit with 2 and say which argument is wrong."""
    finished = run(*arguments)
    assert reason in finished.stderr
    assert finished.returncode == 2


def test_unknown_model_is_named() -> None:
    """Exit with 2 and the path of the contract that is missing."""
    finished = run(EXAMPLES[0], environ={"MODEL": "none"})
    assert "weights/none/contract.json cannot be read" in finished.stderr
    assert finished.returncode == 2
