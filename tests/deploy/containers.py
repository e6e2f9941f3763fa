"""Build the image and run it with podman, where the machine can."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.container import Container
from tests.conftest import ROOT
from tests.deploy.base_image import make_base_image

LIMITS = ("--memory", "96m", "--cpus", "1", "--read-only", "--cap-drop", "ALL")
BASES = ("localhost/python-base", "docker.io/library/python:3.13-slim")
TRIAL = "localhost/digit-service-trial"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PULL_SECONDS = 120.0
"""Seconds to download a base image in."""

SANDBOX = ("--network", "host", "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")
"""What podman needs where it may create no network and raise no limit, as in a container of CI."""


def podman(*arguments: str, timeout: float | None = None) -> str:
    """Run podman, and return what it prints."""
    command = ["podman", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout).stdout.strip()


def run_command(*arguments: str) -> list[str]:
    """Return a command that runs a container."""
    runtime = ("--runtime", "runc") if shutil.which("runc") else ()
    return ["podman", "run", *runtime, *SANDBOX, *arguments]


def find_base() -> str:
    """Return a base image on which containers run. Skip where there is none, with the reason."""
    missing = [name for name in ("buildah", "podman") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} is not installed. Install it to run the container tests.")
    base = next(filter(_is_available, [os.environ.get("BASE_IMAGE", ""), *BASES]), None) or _make_base()
    recipe = f"FROM {base}\nRUN python3 -c \"import socket; socket.create_connection(('pypi.org', 443), 10)\"\n"
    build = ["buildah", "build", "--isolation", "chroot", "--tag", TRIAL, "--file", "-"]
    problem = _problem(build, recipe) or _problem(run_command("--rm", *LIMITS, base, "true"))
    if problem:
        pytest.skip(f"This machine cannot build and run containers that reach pypi.org: {problem}")
    podman("rmi", TRIAL)
    return base


def _problem(command: list[str], text: str = "") -> str:
    """Run a command, and return the last line of its error if it fails."""
    finished = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return "" if finished.returncode == 0 else (finished.stderr.strip().splitlines() or ["no message"])[-1]


def _make_base() -> str:
    try:
        return make_base_image()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"There is no base image. Set BASE_IMAGE to one that this machine has or can download. ({error})")


def _is_available(image: str) -> bool:
    """Return whether an image is there, or can be downloaded."""
    if not image:
        return False
    try:
        podman("image", "exists", image)
    except subprocess.CalledProcessError:
        return not image.startswith("localhost/") and _pull(image)
    return True


def _pull(image: str) -> bool:
    try:
        podman("pull", "--quiet", image, timeout=PULL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def build_image(base: str, tag: str) -> None:
    """Run `make image` with buildah. Its isolation chroot needs the fewest rights."""
    flags = f"--volume {CERTIFICATES}:{CERTIFICATES}:ro --env PIP_CERT={CERTIFICATES}" if CERTIFICATES.exists() else ""
    built = subprocess.run(
        ["make", "image", f"IMAGE={tag}", "BUILDER=buildah", f"BASE_IMAGE={base}", f"BUILD_FLAGS={flags}"],
        cwd=ROOT,
        env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-3_000:] + built.stderr[-3_000:]


def inspect(*what: str) -> dict[str, Any]:
    """Return what podman knows about an image or a container."""
    return dict(json.loads(podman("inspect", *what))[0])


@contextmanager
def running_container(image: str, name: str, port: int, options: Sequence[str] = LIMITS) -> Iterator[Container]:
    """Run the image under limits on a port of this host, until the block ends."""
    podman_run = run_command("--detach", "--name", name, *options, "--env", f"PORT={port}", image)
    try:
        subprocess.run(podman_run, check=True, capture_output=True)
        yield Container("podman", name, port)
    finally:
        podman("rm", "--force", "--ignore", name)


def start_time(name: str) -> float:
    """Return when a container's process started, in seconds since the epoch."""
    return datetime.fromisoformat(inspect(name)["State"]["StartedAt"]).timestamp()


def cpu_seconds(name: str) -> float:
    """Return the CPU seconds that a container's first process has taken."""
    fields = Path(f"/proc/{inspect(name)['State']['Pid']}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
