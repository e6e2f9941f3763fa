"""The locked packages exist for the image's processors, are listed for auditors, and have no known vulnerability."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCK = ROOT / "requirements-serve.txt"
NO_DATA = r".*(?:could not be audited|ConnectionError|ServiceError|Max retries|not resolve|HTTPError).*"


def locked_versions() -> dict[str, str]:
    """Return name and version of each locked package."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", LOCK.read_text(), re.MULTILINE))


def base_version() -> str:
    """Return the version of Python in the default base image."""
    match = re.search(r"^ARG BASE_IMAGE=python:(\d+\.\d+)-slim$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert match
    return match[1]


@pytest.mark.slow
def test_every_locked_package_has_a_wheel_for_arm64(tmp_path: Path) -> None:
    """Resolve a wheel with a locked hash for the image's Python on linux/arm64, without building any."""
    platforms = [f"--platform={name}_aarch64" for name in ("manylinux_2_28", "manylinux_2_27", "manylinux2014")]
    download = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", str(LOCK)),
        *(f"--python-version={base_version()}", *platforms),
    ]
    finished = subprocess.run([*download, f"--dest={tmp_path}"], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    downloaded = {path.name.split("-")[0].replace("_", "-").lower() for path in tmp_path.glob("*.whl")}
    assert downloaded == set(locked_versions())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what `make` needs, with this interpreter's environment as the one for development."""
    for name in ("Makefile", "requirements-serve.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    stamp = tmp_path / ".venv" / "dev" / ".done"
    stamp.parent.mkdir(parents=True)
    stamp.touch()
    return tmp_path


def make(target: str, checkout: Path) -> "subprocess.CompletedProcess[str]":
    """Run a target of the Makefile."""
    command = ["make", target, f"DEV={sys.executable}"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_bill_of_materials_lists_the_lock(checkout: Path) -> None:
    """Write each locked package with its version and hashes into a CycloneDX document."""
    finished = make("sbom", checkout)
    assert finished.returncode == 0, finished.stderr
    document = json.loads((checkout / "dist" / "sbom.cdx.json").read_text())
    assert document["bomFormat"] == "CycloneDX"
    components = {component["name"]: component for component in document["components"]}
    assert {name: component["version"] for name, component in components.items()} == locked_versions()
    assert all(component["externalReferences"][0]["hashes"] for component in components.values())


@pytest.mark.slow
def test_no_locked_package_has_a_known_vulnerability(checkout: Path) -> None:
    """Find none in the database of pip-audit. Skip where it cannot be reached."""
    finished = make("audit", checkout)
    output = finished.stdout + finished.stderr
    if unreachable := re.search(NO_DATA, output):
        pytest.skip(f"pip-audit cannot reach its data: {unreachable[0]}")
    assert finished.returncode == 0, output
