"""The wheel contains the models and serves from any folder."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from service import __version__
from service.web.page import STATIC
from tests.conftest import ROOT
from tests.images import DIGIT
from tests.service.process.running_service import PNG, running_service


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run `make wheel` in a copy of the checkout, with this interpreter as its development environment."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in ("Makefile", "README.md", "pyproject.toml", "requirements-dev.txt"):
        shutil.copy(ROOT / name, checkout)
    for name in ("service", "weights"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    stamp = checkout / ".venv" / "dev" / ".done"
    stamp.parent.mkdir(parents=True)
    stamp.touch()
    built = subprocess.run(
        ["make", "wheel", f"DEV={sys.executable}"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (path,) = (checkout / "dist").iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an empty environment and install the locked requirements and the wheel into it."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = str(environment / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(ROOT / "requirements-serve.txt")], check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    return environment


def test_the_wheel_contains_every_served_file(wheel: Path) -> None:
    """Pack each model's contract and ONNX files, the type marker and the page, but neither checkpoints nor tests."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for model in (path.parent.name for path in (ROOT / "weights").glob("*/contract.json")):
        contract = json.loads((ROOT / "weights" / model / "contract.json").read_text())
        assert {f"service/weights/{model}/contract.json", f"service/weights/{model}/{contract['serves']}"} <= names
    page = {f"service/web/static/{path.name}" for path in STATIC.iterdir()}
    assert {"service/py.typed", *page} <= names
    assert not [name for name in names if name.endswith(".pth") or name.startswith(("tests/", "export/"))]


def test_the_wheel_has_the_version_of_the_service(wheel: Path) -> None:
    """Take the version from `service.__version__`."""
    assert wheel.name == f"digit_service-{__version__}-py3-none-any.whl"


@pytest.mark.slow
def test_the_installed_command_line_predicts_in_another_folder(installed: Path, tmp_path: Path) -> None:
    """Read a digit with `digit-predict`, without a server."""
    (tmp_path / "seven.png").write_bytes(PNG)
    command = [str(installed / "bin" / "digit-predict"), "--csv", "seven.png"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[1].startswith(f"seven.png,{DIGIT},0.")


@pytest.mark.slow
def test_the_installed_console_script_predicts_in_another_folder(installed: Path, tmp_path: Path) -> None:
    """Serve with `digit-service` where neither the checkout nor its weights are."""
    command = [str(installed / "bin" / "digit-service")]
    with running_service(tmp_path / "log", command, folder=tmp_path) as service:
        status, prediction = service.predict()
    assert (status, prediction["digit"]) == (200, DIGIT)
