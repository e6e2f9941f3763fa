"""A rendered dataset is kept, and rendered again when the code has changed."""

from pathlib import Path

import numpy as np
import pytest

from export.data.cache import DatasetCache
from export.data.dataset import Dataset


class Renderer:
    """Renders the same dataset each time, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Dataset:
        self.count += 1
        return Dataset(np.full((2, 1, 28, 28), 0.5, np.float32), np.array([3, -1]))


def test_a_kept_dataset_is_not_rendered_again(tmp_path: Path) -> None:
    """Loads the same arrays, also in another run."""
    render = Renderer()
    first = DatasetCache(tmp_path / "data").load("drawn", render)
    again = DatasetCache(tmp_path / "data").load("drawn", render)
    assert render.count == 1
    assert np.array_equal(first.images, again.images)
    assert again.images.dtype == np.float32
    assert again.labels.tolist() == [3, -1]


def test_each_name_is_a_dataset_of_its_own(tmp_path: Path) -> None:
    """Renders once per name."""
    render = Renderer()
    for name in ("drawn", "photographed", "drawn"):
        DatasetCache(tmp_path).load(name, render)
    assert render.count == 2


def test_other_code_renders_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignores what another version of the code has made."""
    render = Renderer()
    DatasetCache(tmp_path).load("drawn", render)
    monkeypatch.setattr(np, "__version__", "0")
    DatasetCache(tmp_path).load("drawn", render)
    assert render.count == 2


def test_an_interrupted_rendering_is_not_kept(tmp_path: Path) -> None:
    """Leaves no file."""

    def interrupt() -> Dataset:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DatasetCache(tmp_path).load("drawn", interrupt)
    assert not list(tmp_path.iterdir())
