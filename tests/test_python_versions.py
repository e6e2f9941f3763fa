"""The serving tests pass on every supported version of Python that is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SUPPORTED = ("3.11", "3.12", "3.13")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def find_interpreter(version: str) -> Path:
    """Return an interpreter of this version, from the PATH or from pyenv. Skip if there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    on_path = shutil.which(f"python{version}")
    candidates = [Path(on_path)] if on_path else []
    for candidate in [*candidates, *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]:
        # A pyenv shim may exist for a version that is not active.
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip(f"Python {version} is not installed. Install it, for example with pyenv, to run this test.")


@pytest.mark.slow
@pytest.mark.parametrize("version", [version for version in SUPPORTED if version != THIS])
def test_the_serving_tests_pass(version: str, tmp_path: Path) -> None:
    """Install the locked serving packages and pytest, but no PyTorch, and run tests/service without its slow tests."""
    subprocess.run([find_interpreter(version), "-m", "venv", tmp_path], check=True)
    python = tmp_path / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--no-deps", "--require-hashes", "--requirement", "requirements-serve.txt"]
    subprocess.run([*pip, *locked], cwd=ROOT, check=True)
    subprocess.run(
        [*pip, "--constraint", "requirements-dev.txt", "pytest", "httpx2", "prometheus-client"], cwd=ROOT, check=True
    )
    finished = subprocess.run(
        [python, "-m", "pytest", "tests/service", "-m", "not slow", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "SERVE_PYTHON"},  # this environment has pytest
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
