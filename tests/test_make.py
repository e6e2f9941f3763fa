"""`make` says in one sentence what is missing, and its help is complete."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCUMENTED = {
    "audit",
    "bench",
    "card",
    "clean",
    "evaluate",
    "export",
    "failover",
    "fuzz",
    "image",
    "lint",
    "lock",
    "sbom",
    "serve",
    "soak",
    "test",
    "train",
    "wheel",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what `make` reads before it installs anything."""
    for name in ("Makefile", "requirements-serve.txt", "requirements-docs.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def fake_python(folder: Path, script: str) -> str:
    """Write an interpreter that runs a shell script instead."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def failing_make(folder: Path, *arguments: str) -> str:
    """Return the first error line of a `make` that must fail before it installs anything."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    finished = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0
    assert not (folder / ".venv").exists()
    return finished.stderr.splitlines()[0]


@pytest.mark.parametrize("target", ["serve", "test", "export", "train", "evaluate", "lint", "wheel"])
def test_a_missing_python_is_named(checkout: Path, target: str) -> None:
    """Fail before anything is installed, and say what to install."""
    error = failing_make(checkout, target, "PYTHON=python-none")
    assert error == "make: python-none is not installed. Install Python 3.11 or later or name one with PYTHON=."


def test_an_old_python_is_named(checkout: Path) -> None:
    """Name its version and the required one."""
    old = fake_python(checkout, '[ "$1" = -V ] && echo Python 3.9.2; exit 1')
    error = failing_make(checkout, "serve", f"PYTHON={old}")
    assert error == f"make: {old} is Python 3.9.2. Python 3.11 or later is needed: name one with PYTHON=."


def test_a_python_without_venv_is_named(checkout: Path) -> None:
    """Name the Debian package that is missing by default."""
    bare = fake_python(checkout, 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    assert failing_make(checkout, "serve", f"PYTHON={bare}").startswith(
        f"make: {bare} lacks the venv module. Install it"
    )


def test_the_help_lists_every_target_in_one_screen() -> None:
    """List exactly the documented targets, which are all phony targets but `help`, in at most 24 lines."""
    finished = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in finished.stdout.splitlines() if line.startswith("make ")]
    assert {line.split()[1] for line in lines} == {*DOCUMENTED, "help"}
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 120
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == {*DOCUMENTED, "help"}


@pytest.mark.parametrize("target", ["train", "evaluate", "card"])
def test_the_folder_of_own_digits_reaches_the_command(target: str) -> None:
    """Pass DATA and WEIGHTS_DIR on, spaces included, and neither of them where it is not given."""
    given = dry_run(target, "DATA=my digits", "WEIGHTS_DIR=my weights")
    assert f'-m export {target} --model cnn-transformer --weights "my weights" --data "my digits"' in given
    assert "--data" not in dry_run(target)
    assert "--weights" not in dry_run(target)


def dry_run(*arguments: str) -> str:
    """Return the commands that `make` would run."""
    given = ("MAKE", "MFLAGS", "MODEL", "WEIGHTS_DIR", "DATA")
    environ = {key: value for key, value in os.environ.items() if not key.startswith(given)}
    finished = subprocess.run(
        ["make", "--dry-run", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return finished.stdout
