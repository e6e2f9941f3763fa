"""The wheel contains the models and serves from any folder."""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from service import __version__
from service.web.page import STATIC
from tests import readme
from tests.checkout import copy_checkout, link_environment
from tests.conftest import ROOT
from tests.images import DIGIT
from tests.service.process.running_service import PNG, running_service

*INSTALL, SERVE = readme.block_of("make wheel")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the wheel is made of, with this interpreter's environment as the one for development."""
    folder = copy_checkout(tmp_path_factory.mktemp("wheel") / "digit-service", "service", "weights")
    link_environment(folder, "dev", Path(sys.executable))
    return folder


def run(commands: Sequence[str], folder: Path) -> None:
    """Run commands of the README in one shell, with the interpreter of the tests as python3."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    finished = subprocess.run(
        ["sh", "-c", "\n".join(["set -e", *commands])],
        cwd=folder,
        env={**os.environ, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    """Run `make wheel`."""
    run(INSTALL[:1], checkout)
    (path,) = (checkout / "dist").iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """Install the locked requirements and the wheel into an empty environment in another folder, as the README says."""
    checkout = wheel.parent.parent
    run(INSTALL[1:], checkout)
    return checkout.parent / "another-folder"


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
    command = [str(installed / ".venv" / "bin" / "digit-predict"), "--csv", "seven.png"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[1].startswith(f"seven.png,{DIGIT},0.")


@pytest.mark.slow
def test_the_installed_console_script_predicts_in_another_folder(installed: Path, tmp_path: Path) -> None:
    """Serve with `digit-service` where neither the checkout nor its weights are."""
    command = ["env", *shlex.split(SERVE.replace("PORT=8301", "PORT=0"))]
    with running_service(tmp_path / "log", command, installed) as service:
        status, prediction = service.predict()
    assert (status, prediction["digit"]) == (200, DIGIT)
