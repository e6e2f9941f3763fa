"""The service exits with one sentence if a setting or the model is invalid."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from service.process.listeners import listen
from tests.conftest import ROOT, WEIGHTS
from tests.service.process.running_service import PYTHON, TIMEOUT


def error_of_start(**environ: str) -> str:
    """Return what the service prints that must not start."""
    finished = subprocess.run(
        [PYTHON, "-m", "service"],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert finished.returncode != 0
    assert "Traceback" not in finished.stderr
    return finished.stderr


def test_invalid_setting_is_named_with_its_value() -> None:
    """Exit with key and value of an invalid setting."""
    assert error_of_start(PORT="http") == "digit-service: PORT='http' is not a whole number between 0 and 65535.\n"


def test_messages_of_the_start_are_json_too() -> None:
    """Write a warning and the sentence of an invalid setting as one object per line with LOG_FORMAT=json."""
    lines = [json.loads(line) for line in error_of_start(LOG_FORMAT="json", PORT="http", API_KEYS="x").splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("warning", "API_KEYS is not a setting. Did you mean API_KEY?"),
        ("error", "PORT='http' is not a whole number between 0 and 65535."),
    ]


def test_unknown_model_is_named_with_its_path() -> None:
    """Exit with the path of the contract that is missing."""
    error = error_of_start(MODEL="none")
    assert re.fullmatch(r"digit-service: \S+/weights/none/contract.json cannot be read .*\n", error)


def test_damaged_model_is_named_with_both_hashes(tmp_path: Path) -> None:
    """Exit with the file that differs, its hash and the hash in its contract."""
    folder = Path(shutil.copytree(WEIGHTS / "cnn-transformer", tmp_path / "cnn-transformer"))
    with (folder / "model.int8.onnx").open("ab") as file:
        file.write(b"\0")
    error = error_of_start(WEIGHTS_DIR=str(tmp_path))
    expected = r"digit-service: \S+/model.int8.onnx has SHA-256 \w{64}, but its contract says \w{64}\..*\n"
    assert re.fullmatch(expected, error)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_taken_port_is_not_shared(workers: str) -> None:
    """Exit if the port is taken, even by listeners that would share it."""
    (listener,) = listen("127.0.0.1", 0, 1)
    with listener:
        assert "address already in use" in error_of_start(PORT=str(listener.getsockname()[1]), WORKERS=workers)


@pytest.mark.parametrize("package", ["torch", "onnx", "onnxscript", "pytest"])
def test_serving_environment_holds_no_build_tools(package: str) -> None:
    """Install neither torch nor onnx where `make serve` runs the service."""
    if "SERVE_PYTHON" not in os.environ:
        pytest.skip("SERVE_PYTHON names no serving environment. Run `make test`.")
    found = subprocess.run([PYTHON, "-c", f"import {package}"], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in found.stderr
