"""The contract records what was measured and which file is served, and no measured time."""

from typing import Any

import pytest

from export.build.contract import FileMeasurements, Measurements, build_contract, decide
from export.build.quantize import LatencyRatio
from export.model_folder import ModelFolder
from export.training.checkpoint import sha256
from tests.conftest import WEIGHTS

FOLDER = ModelFolder(WEIGHTS / "cnn")
ACCURACY = {"mnist-test": {"correct": 9960, "images": 10_000}}


def measurements(latency: float = 0.5, agreement: float = 1.0) -> Measurements:
    return Measurements(
        FileMeasurements(ACCURACY, {"worst_logit_difference": 1e-5}, [0.0] * 10),
        FileMeasurements(ACCURACY, {"argmax_agreement": {"mnist-test": agreement}}, [1.0] * 10),
        LatencyRatio(latency, latency - 0.1, latency + 0.1),
    )


def contract(measured: Measurements) -> dict[str, Any]:
    return build_contract("cnn", FOLDER, measured, decide(measured))


def test_an_accurate_and_fast_int8_file_is_served() -> None:
    """Serves int8 and gives no reason against it."""
    built = contract(measurements())
    assert (built["serves"], built["int8_rejected_because"]) == ("model.int8.onnx", [])


@pytest.mark.parametrize("measured", [measurements(latency=1.05), measurements(agreement=0.99)])
def test_fp32_is_served_if_int8_is_rejected(measured: Measurements) -> None:
    """Serves fp32 and gives the reason."""
    built = contract(measured)
    assert built["serves"] == "model.onnx"
    assert len(built["int8_rejected_because"]) == 1


@pytest.mark.parametrize(("first", "second"), [(0.3, 0.6), (1.05, 1.9)])
def test_measured_times_do_not_change_the_contract(first: float, second: float) -> None:
    """Builds the same contract from different latencies with the same decision."""
    assert contract(measurements(latency=first)) == contract(measurements(latency=second))


def test_every_file_has_its_hash_and_measurements() -> None:
    """Lists checkpoint, fp32 and int8 with the SHA-256 of the bytes in the folder."""
    files = contract(measurements())["files"]
    assert {name: entry["sha256"] for name, entry in files.items()} == {
        path.name: sha256(path) for path in (FOLDER.checkpoint, FOLDER.fp32, FOLDER.int8)
    }
    assert all(entry["accuracy"] == ACCURACY for entry in files.values())
    assert [entry.get("self_test") for entry in files.values()] == [None, [0.0] * 10, [1.0] * 10]
