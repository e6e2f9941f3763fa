"""The serving tests pass on every supported version of Python that is installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import ROOT

SUPPORTED = ("3.11", "3.12", "3.13")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHERS = [version for version in SUPPORTED if version != THIS]


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
    """Install the locked serving packages and pytest, but no PyTorch, and run tests/service without its slow tests."""
    subprocess.run([interpreter, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--no-deps", "--require-hashes", "--requirement", "requirements-serve.txt"]
    subprocess.run([*pip, *locked], cwd=ROOT, check=True)
    tools = ["pytest", "httpx2", "prometheus-client"]
    subprocess.run([*pip, "--constraint", "requirements-dev.txt", *tools], cwd=ROOT, check=True)
    return subprocess.run(
        [python, "-m", "pytest", "tests/service", "-m", "not slow", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "SERVE_PYTHON"},  # this environment has pytest
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]":
    """Run the tests of all versions at the same time: they wait more than they compute."""
    found = {version: find_interpreter(version) for version in OTHERS}
    with ThreadPoolExecutor() as pool:
        yield {
            version: pool.submit(run_serving_tests, interpreter, tmp_path_factory.mktemp(version))
            for version, interpreter in found.items()
            if interpreter is not None
        }


@pytest.mark.slow
@pytest.mark.parametrize("version", OTHERS)
def test_the_serving_tests_pass(runs: "dict[str, Future[subprocess.CompletedProcess[str]]]", version: str) -> None:
    """Pass tests/service on another version of Python."""
    if version not in runs:
        pytest.skip(f"Python {version} is not installed. Install it, for example with pyenv, to run this test.")
    finished = runs[version].result()
    assert finished.returncode == 0, finished.stdout + finished.stderr
