"""Platforms that set PORT start the service without an edit."""

import re
import shlex
from pathlib import Path

from benchmarks.server import free_port
from service.settings import Settings
from tests.conftest import ROOT
from tests.service.process.running_service import PYTHON, running_service


def locked(name: str) -> dict[str, str]:
    """Return the versions in a file of pinned requirements, with the conditions that they have."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_port_alone_makes_the_service_reachable() -> None:
    """Listen on every interface at PORT where nothing else is set."""
    settings = Settings.from_mapping({"PORT": "8080"})
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)


def test_procfile_starts_the_service(tmp_path: Path) -> None:
    """Run the command of the Procfile, and listen at PORT."""
    name, _, line = (ROOT / "Procfile").read_text().strip().partition(": ")
    program, *arguments = shlex.split(line)
    assert (name, program) == ("web", "python")
    port = free_port()
    with running_service(tmp_path / "log", [PYTHON, *arguments], PORT=str(port)) as service:
        assert service.port == port
        assert service.predict()[0] == 200


def test_buildpacks_install_the_locked_packages() -> None:
    """Pin in requirements.txt the versions of requirements-serve.txt, and what pip wants besides."""
    buildpack, serving = locked("requirements.txt"), locked("requirements-serve.txt")
    assert serving.items() <= buildpack.items()
    unused = re.search(r"^UNUSED := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert unused
    assert set(buildpack) - set(serving) == set(unused[1].split())
