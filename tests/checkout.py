"""A checkout in which `make` finds its environments complete: they are links to those of the tests."""

import shutil
from pathlib import Path

from tests.conftest import ROOT

FILES = ("Makefile", "README.md", "pyproject.toml", *(f"requirements-{name}.txt" for name in ("serve", "docs", "dev")))


def copy_checkout(folder: Path, *names: str) -> Path:
    """Copy what `make` reads, and the folders `names`, to a new folder."""
    folder.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    for name in names:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def link_environment(checkout: Path, name: str, python: Path) -> None:
    """Make `.venv/NAME` the environment of an interpreter, with a stamp that is newer than its lock."""
    environment = checkout / ".venv" / name
    environment.mkdir(parents=True)
    for path in python.parent.parent.iterdir():
        if path.name != ".done":
            (environment / path.name).symlink_to(path)
    (environment / ".done").touch()
