"""A model's folder knows the names of its files."""

from pathlib import Path

import pytest

from export.model_folder import ModelFolder, RunFolder
from tests.conftest import WEIGHTS


def paths(folder: ModelFolder) -> set[Path]:
    """Return the value of every property that is a file."""
    names = [name for name in dir(type(folder)) if isinstance(getattr(type(folder), name), property)]
    return {value for name in names if isinstance(value := getattr(folder, name), Path)}


@pytest.mark.parametrize("name", ["cnn-transformer", "cnn"])
def test_every_committed_file_has_a_property(name: str) -> None:
    """Lists exactly the files of the committed folders."""
    folder = ModelFolder(WEIGHTS / name)
    assert folder.name == name
    assert paths(folder) == set(folder.path.iterdir())


def test_a_run_has_two_files_that_are_not_committed() -> None:
    """Adds the state to resume from and the report of the export."""
    run = RunFolder(Path("runs/cnn"))
    extra = paths(run) - paths(ModelFolder(run.path))
    assert extra == {Path("runs/cnn/last.pth"), Path("runs/cnn/export.json")}
