"""`make image` builds with the engine that is there, and says which image it is."""

import hashlib
import itertools
import json
import subprocess
from pathlib import Path

import pytest

from service import __version__
from tests.conftest import ROOT

RECORD = 'printf "%s\\n" "$0" "$@" > "$RECORD"'
TOOLS = ("git", "sed", "sha256sum", "cut", "dirname", "cat", "make", "sh")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Create a folder of programs that has everything but a builder of images."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (folder / name).symlink_to(found)
    return folder


def install(folder: Path, name: str, script: str = RECORD) -> None:
    """Write a builder that records its arguments."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def make_image(tools: Path, *arguments: str) -> tuple[str, list[str]]:
    """Run `make image`, and return its error, and the recorded command."""
    record = tools.parent / "record"
    environ = {"PATH": str(tools), "RECORD": str(record)}
    finished = subprocess.run(
        ["make", "image", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    return finished.stderr, record.read_text().splitlines() if record.exists() else []


def build_arguments(command: list[str]) -> dict[str, str]:
    """Return the values of --build-arg."""
    pairs = itertools.pairwise(command)
    return dict(value.split("=", 1) for option, value in pairs if option == "--build-arg")


def test_a_missing_builder_is_named(tools: Path) -> None:
    """Say what to install."""
    error, _ = make_image(tools)
    assert error.startswith("make: docker, podman and buildah are missing. Install one of them, or start docker.")


@pytest.mark.parametrize("names", [("docker", "podman", "buildah"), ("podman", "buildah"), ("buildah",)])
def test_the_first_builder_that_is_there_builds(tools: Path, names: tuple[str, ...]) -> None:
    """Prefer docker to podman to buildah, and tag IMAGE."""
    for name in names:
        install(tools, name)
    _, command = make_image(tools, "IMAGE=some-tag")
    assert command[:2] == [str(tools / names[0]), "build"]
    assert command[command.index("--tag") + 1] == "some-tag"
    assert command[-1] == "."


def test_docker_without_its_server_does_not_build(tools: Path) -> None:
    """Take the next builder if docker cannot reach its server."""
    install(tools, "docker", "exit 1")
    install(tools, "podman")
    _, command = make_image(tools)
    assert command[0] == str(tools / "podman")


def test_podman_and_buildah_keep_the_health_check(tools: Path) -> None:
    """Choose the format of docker: OCI's own has no HEALTHCHECK."""
    install(tools, "buildah")
    _, command = make_image(tools)
    assert command[command.index("--format") + 1] == "docker"


def test_a_builder_a_base_and_options_can_be_chosen(tools: Path) -> None:
    """Pass on BUILDER, BASE_IMAGE, also pinned by digest, and BUILD_FLAGS."""
    install(tools, "docker")
    install(tools, "buildah")
    base = f"python:3.13-slim@sha256:{'0' * 64}"
    flags = "--platform linux/arm64 --no-cache"
    _, command = make_image(tools, "BUILDER=buildah", f"BASE_IMAGE={base}", f"BUILD_FLAGS={flags}")
    assert command[0] == str(tools / "buildah")
    assert build_arguments(command)["BASE_IMAGE"] == base
    assert set(flags.split()) < set(command)


@pytest.mark.parametrize("model", ["cnn-transformer", "cnn"])
def test_the_labels_get_version_revision_and_model(tools: Path, model: str) -> None:
    """Pass on the version, the commit and the SHA-256 of the served file of MODEL; leave the base to the default."""
    install(tools, "docker")
    _, command = make_image(tools, f"MODEL={model}")
    arguments = build_arguments(command)
    folder = ROOT / "weights" / model
    served = json.loads((folder / "contract.json").read_bytes())["serves"]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert arguments.pop("REVISION").removesuffix("-dirty") == (commit.stdout.strip() or "unknown")
    assert arguments == {
        "VERSION": __version__,
        "MODEL_SHA256": hashlib.sha256((folder / served).read_bytes()).hexdigest(),
    }
