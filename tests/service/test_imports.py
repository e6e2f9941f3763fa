"""Serving imports exactly the packages that it needs, and sends no telemetry."""

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

WHOLE_SERVICE = "import service.__main__, sys; "


def run(program: str, **environ: str) -> str:
    """Run a program in a new interpreter and return what it prints."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


def test_serving_imports_no_training_code() -> None:
    """Import neither torch nor onnx nor any package of this project other than `service`."""
    loaded = set(run(WHOLE_SERVICE + "print(*{name.partition('.')[0] for name in sys.modules})").split())
    assert {"service", "onnxruntime", "starlette", "uvicorn", "PIL", "numpy"} <= loaded
    assert not {"torch", "onnx", "onnxscript", "matplotlib", "export", "benchmarks", "examples", "tests"} & loaded


def test_every_package_of_the_serving_environment_is_imported() -> None:
    """Import all ten packages in requirements-serve.txt; typing_extensions only before Python 3.13, as a backport."""
    loaded = set(run(WHOLE_SERVICE + "import uvicorn.protocols.http.auto; print(*sys.modules)").split())
    locked = re.findall(r"^([a-z-]+)==", (ROOT / "requirements-serve.txt").read_text(), re.MULTILINE)
    assert len(locked) == 10
    unused = {{"pillow": "PIL"}.get(package, package.replace("-", "_")) for package in locked} - loaded
    assert unused == ({"typing_extensions"} if sys.version_info >= (3, 13) else set())


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("service.errors", ["service.errors"]),
        ("service.settings", ["service.errors", "service.settings"]),
        ("service.inference.in_flight", ["service.inference", "service.inference.in_flight"]),
    ],
)
def test_lowest_modules_import_no_other_of_the_service(module: str, imported: list[str]) -> None:
    """Import nothing of the service except errors."""
    names = f"import {module}, sys; print(*sorted(name for name in sys.modules if name.startswith('service.')))"
    assert run(names).split() == imported


ENVIRONMENT_SPY = """
import os, sys
class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(*(os.environ.get(name) for name in ("ORT_DISABLE_TELEMETRY", "OPENBLAS_NUM_THREADS")))
sys.meta_path.insert(0, Spy())
"""


@pytest.mark.parametrize("environ", [{}, {"ORT_DISABLE_TELEMETRY": "0", "OPENBLAS_NUM_THREADS": "8"}])
def test_telemetry_is_off_before_onnxruntime_is_imported(environ: dict[str, str]) -> None:
    """Set ORT_DISABLE_TELEMETRY and OPENBLAS_NUM_THREADS before the import, whatever the environment says."""
    assert run(ENVIRONMENT_SPY + WHOLE_SERVICE, **environ) == "1 1"
