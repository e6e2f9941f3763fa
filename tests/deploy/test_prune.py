"""The build copies what serving needs, and fails if the copy does not serve."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.service.process.running_service import PYTHON

MAX_BYTES = 90_000_000


def prune(root: Path, folder: Path = ROOT, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Copy what serving needs from the environment of the service."""
    return subprocess.run(
        [PYTHON, "-m", "deploy.prune", str(root)],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def find(root: Path, pattern: str) -> set[str]:
    return {path.name for path in root.rglob(pattern)}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the tree of the image. This fails unless it serves what the full environment serves."""
    root = tmp_path_factory.mktemp("root")
    finished = prune(root)
    assert finished.returncode == 0, finished.stderr
    return root


@pytest.mark.slow
def test_the_tree_is_small(tree: Path) -> None:
    """Take at most 90 MB, the bound of the image."""
    assert sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_dir()) <= MAX_BYTES


@pytest.mark.slow
def test_the_tree_holds_what_serves_and_what_licenses_demand(tree: Path) -> None:
    """Keep the modules of the service, the served models, metadata and licenses; leave out what never serves."""
    app = tree / "app"
    assert {path.name for path in app.iterdir()} == {"service", "weights", "probe.py"}
    sources = {path.relative_to(ROOT) for path in (ROOT / "service").rglob("*.py")}
    assert sources <= {path.relative_to(app) for path in app.rglob("*.py")}
    assert find(app / "weights", "*.*") == {"contract.json", "model.int8.onnx"}
    assert len(find(tree, "*.dist-info")) >= 9
    assert len([path for path in tree.rglob("LICENSE*") if path.is_file()]) >= 9
    assert not find(tree, "libonnxruntime.so*") | find(tree, "*webp*") | find(tree, "*avif*") | find(tree, "tests")
    assert not find(tree, "transformers") | find(tree, "distutils") | find(tree, "f2py")


@pytest.mark.slow
def test_each_module_has_byte_code_once(tree: Path) -> None:
    """Compile every module, and keep byte code either beside the source or in its place."""
    for source in set(tree.rglob("*.py")) - {tree / "app" / "probe.py"}:  # a script, whose byte code Python never keeps
        assert len(list(source.parent.glob(f"__pycache__/{source.stem}.*.pyc"))) == 1
        assert not source.with_suffix(".pyc").exists()
    for byte_code in tree.rglob("__pycache__/*.pyc"):
        assert (byte_code.parent.parent / f"{byte_code.name.split('.')[0]}.py").exists()


@pytest.mark.slow
def test_a_tree_that_lacks_a_module_fails_the_build(tmp_path: Path) -> None:
    """Fail if a module that decoding needs gets lost on the way, here by a tool of the build."""
    strip = tmp_path / "strip"
    strip.write_text('#!/bin/sh\nrm -f "${2%/site-packages/*}/site-packages/PIL/PngImagePlugin.py"\n')
    strip.chmod(0o755)
    finished = prune(tmp_path / "root", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert finished.returncode != 0
    assert "PngImagePlugin" in finished.stderr


@pytest.mark.slow
def test_an_example_that_is_not_recognized_fails_the_build(tmp_path: Path) -> None:
    """Fail if the service does not return the digit in the name of an example."""
    for name in ("service", "weights", "deploy"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "examples").mkdir()
    for name in ("5-black-on-white-64x64.jpg", "4-white-on-black-100x100.png"):
        shutil.copy(ROOT / "examples" / name, tmp_path / "examples" / f"3{name[1:]}")
    finished = prune(tmp_path / "root", tmp_path)
    assert finished.returncode != 0
    assert "expected digit 3, but got" in finished.stderr
