"""`make` says in one sentence what is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` looks at before it installs anything."""
    for name in ("Makefile", "requirements-serve.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def fake_python(folder: Path, program: str) -> str:
    """An interpreter that does as it is told."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    return str(path)


def make(folder: Path, *arguments: str) -> str:
    """What a `make` that must fail says."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    finished = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0
    assert not (folder / ".venv").exists()
    return finished.stderr.splitlines()[0]


@pytest.mark.parametrize("target", ["serve", "test", "export", "train", "evaluate", "lint"])
def test_a_missing_python_is_named(clone: Path, target: str) -> None:
    """Every target that needs one."""
    said = make(clone, target, "PYTHON=python-none")
    assert said == "make: python-none is not installed. Install Python 3.11 or later or name one with PYTHON=."


def test_an_old_python_is_named(clone: Path) -> None:
    """With its version."""
    old = fake_python(clone, '[ "$1" = -V ] && echo Python 3.9.2; exit 1')
    said = make(clone, "serve", f"PYTHON={old}")
    assert said == f"make: {old} is Python 3.9.2. Python 3.11 or later is needed: name one with PYTHON=."


def test_a_python_without_venv_is_named(clone: Path) -> None:
    """As Debian's is, before its package is installed."""
    bare = fake_python(clone, 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    assert make(clone, "serve", f"PYTHON={bare}").startswith(f"make: {bare} lacks the venv module. Install it")


def test_every_target_of_the_help_exists() -> None:
    """And the help names those that people call."""
    finished = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    named = {line.split()[1] for line in finished.stdout.splitlines() if line.startswith("make ")}
    assert {"serve", "test", "lint", "export", "train", "evaluate", "image", "clean"} <= named
