"""The report holds the measured latency; the summary says what is served and why."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest

from export.build.quantize import LatencyRatio
from export.build.report import format_summary, write_report
from export.model_folder import RunFolder
from service.inference.contract import Contract
from tests.conftest import WEIGHTS

LATENCY = LatencyRatio(0.5812, 0.5749, 0.5903)


@pytest.fixture
def contract() -> Contract:
    return Contract.verify(WEIGHTS / "cnn-transformer")


def test_the_report_tells_how_the_latency_was_measured(contract: Contract, tmp_path: Path) -> None:
    """Holds the ratio with its spread, unit and number of runs, the versions and the processor."""
    run = RunFolder(tmp_path / "runs" / "cnn-transformer")
    write_report(LATENCY, contract, run)
    report = json.loads(run.export_report.read_text())
    ratio = report["latency_ratio"]
    assert (ratio["median"], ratio["minimum"], ratio["maximum"]) == (0.581, 0.575, 0.59)
    assert (ratio["rounds"], ratio["runs_per_round"], ratio["batch_size"]) == (15, 40, 1)
    assert ratio["unit"] == "int8 thread CPU time / fp32 thread CPU time"
    assert {"python", "numpy", "onnxruntime"} <= set(report["versions"])
    assert report["processor"]


def test_the_summary_says_what_is_served_and_why(contract: Contract) -> None:
    """Gives accuracy, parity, the served file, the latency with its spread, and the report's path, in sentences."""
    text = format_summary(contract, LATENCY, RunFolder(Path("runs/cnn-transformer")))
    assert "Accuracy on mnist-test: fp32 99.71% (9,971 of 10,000), int8 99.71% (9,971 of 10,000)." in text
    assert (
        "Served: model.int8.onnx, because int8 agrees with fp32 (at least 99.95%), loses at most 0.03 points on" in text
    )
    assert "mnist-test and 0.3 points on wild, and takes at most 1.0 of the CPU time." in text
    assert "int8 takes 0.58 (0.57 to 0.59) of the fp32 CPU time; see runs/cnn-transformer/export.json." in text
    assert not {"{", "["} & set(text)


def test_the_summary_leaves_out_the_limit_of_a_source_that_was_not_measured(contract: Contract) -> None:
    """States no limit on wild images where there were none."""
    content = copy.deepcopy(contract.content)
    for file in content["files"].values():
        file.get("accuracy", {}).pop("wild", None)
    text = format_summary(replace(contract, content=content), LATENCY, RunFolder(Path("runs/cnn")))
    assert "loses at most 0.03 points on mnist-test, and takes at most 1.0 of the CPU time." in text


def test_the_summary_gives_the_reasons_against_int8(contract: Contract) -> None:
    """Names the fp32 file and every reason."""
    content = {**contract.content, "serves": "model.onnx", "int8_rejected_because": ["it is large", "it is slow"]}
    text = format_summary(replace(contract, content=content), LATENCY, RunFolder(Path("runs/cnn")))
    assert "Served: model.onnx, because int8 is rejected: it is large; it is slow." in text
