"""Most serving tests pass on every supported version of Python that is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SUPPORTED = ("3.11", "3.12", "3.13")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHERS = [version for version in SUPPORTED if version != THIS]

LEFT_OUT = (
    "tests/service/imaging",
    "tests/service/inference/test_hostile_pictures.py",
    "tests/service/web/test_hostile_uploads.py",
)
"""Functions of arrays, and 700 crafted uploads, which take half of the time. Most of it is C code: the same releases of
Pillow and numpy on each version. These tests run on one version only."""


def find_interpreter(version: str) -> Path | None:
    """Return an interpreter of this version, from the PATH or from pyenv, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    on_path = shutil.which(f"python{version}")
    candidates = [Path(on_path)] if on_path else []
    for candidate in [*candidates, *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]:
        # A pyenv shim may exist for a version that is not active.
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def run_serving_tests(interpreter: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Install the locked serving packages and pytest, but no PyTorch, and run tests/service but for LEFT_OUT."""
    subprocess.run([interpreter, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--no-deps", "--require-hashes", "--requirement", "requirements-serve.txt"]
    subprocess.run([*pip, "--no-compile", *locked], cwd=ROOT, check=True)
    tools = ["pytest", "pytest-xdist", "httpx2", "prometheus-client"]
    subprocess.run([*pip, "--no-compile", "--constraint", "requirements-dev.txt", *tools], cwd=ROOT, check=True)
    left_out = [f"--ignore={path}" for path in LEFT_OUT]
    parallel = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]  # many tests wait for a service
    options = ["-m", "not slow", *left_out, *parallel, "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [python, "-m", "pytest", "tests/service", *options],
        cwd=ROOT,
        env=_environ(folder),
        capture_output=True,
        text=True,
        check=False,
    )


def _environ(folder: Path) -> dict[str, str]:
    """Return the environment of the tests. The services that they start need compiled code: it is kept in `folder`."""
    left_out = ("SERVE_PYTHON", "PYTHONDONTWRITEBYTECODE")  # the serving environment is this one, which has pytest
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


@pytest.mark.slow
@pytest.mark.parametrize("version", OTHERS)
def test_the_serving_tests_pass(version: str, tmp_path: Path) -> None:
    """Pass tests/service on another version of Python, but for the slow tests and those in LEFT_OUT."""
    interpreter = find_interpreter(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not installed. Install it, for example with pyenv, to run this test.")
    finished = run_serving_tests(interpreter, tmp_path / version)
    assert finished.returncode == 0, finished.stdout + finished.stderr
