"""Data and evaluation work where PyTorch and onnx are not installed."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

BLOCK = "import sys; sys.modules['torch'] = sys.modules['onnx'] = None; "  # importing either raises ImportError

IMPORT_ALL = """
import importlib, pkgutil
package = importlib.import_module({package!r})
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(*names)
"""


def run(program: str) -> str:
    """Return what a new interpreter prints. Fails if the program fails."""
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize(
    ("package", "module"), [("export.data", "export.data.scenes"), ("export.evaluation", "export.evaluation.card")]
)
def test_no_module_imports_torch_or_onnx(package: str, module: str) -> None:
    """Imports every module of the package while both are blocked."""
    assert module in run(BLOCK + IMPORT_ALL.format(package=package)).split()


@pytest.mark.parametrize("command", ["train", "build", "evaluate", "card"])
def test_help_needs_no_torch(command: str) -> None:
    """Shows the help of every command while both are blocked."""
    program = f"{BLOCK}from export.__main__ import main; main([{command!r}, '--help'])"
    assert run(program).startswith(f"usage: python -m export {command}")
