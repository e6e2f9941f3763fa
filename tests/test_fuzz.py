"""The short form of `make fuzz`, always with the same inputs, and every input that has ever crashed a target."""

import importlib.util
import json
import logging
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.fuzz.corpus import corruptions, every_corruption, seeds
from tests.fuzz.crash_files import crash_files, keep
from tests.fuzz.every import run_every
from tests.fuzz.mutations import corrupt, seal, split
from tests.fuzz.oracles import image_of_document, images_of_request, parts_of_form
from tests.fuzz.properties import PROPERTIES, Property, run_property
from tests.fuzz.targets import TARGETS
from tests.golden import example_bytes
from tests.hostile.png_writer import seven
from tests.service.web.inference_requests import IMAGES, document, numbers, strings

COUNTS = {"decode": 200, "form": 1_500, "document": 1_500, "inference": 500, "app": 40}
"""Inputs that take about half a second."""


@pytest.fixture(autouse=True, scope="module")
def restored_log() -> Iterator[None]:
    """Remove the handler by which the target `app` fails at a logged exception: other tests provoke one."""
    log = logging.getLogger("digit_service")
    handlers = list(log.handlers)
    yield
    log.handlers = handlers


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_pass(target: str) -> None:
    """Pass valid and crafted inputs; for the whole app every fifth."""
    for data in seeds(target)[:: 5 if target == "app" else 1]:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_corrupted_seeds_pass(target: str) -> None:
    """Pass inputs that are corrupted at one place and at several."""
    for inputs in (every_corruption(target, seed=0), corruptions(target, seed=0)):
        for data in islice(inputs, COUNTS[target]):
            TARGETS[target](data)


def test_corrupted_examples_decode_or_raise_image_error() -> None:
    """Cut the examples, and change a byte in five ways, at some places that are drawn."""
    assert run_every("decode", limit=200) == 1_200


@pytest.mark.parametrize("name", PROPERTIES)
def test_property_holds(name: str) -> None:
    """Hold for the examples that hypothesis draws first, round after round."""
    for _ in range(2):
        assert run_property(name, 20, derandomize=True) >= 20


def test_input_that_breaks_a_property_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the simplest input that breaks a claim, as its target takes it."""

    def is_short(data: bytes) -> None:
        assert len(data) < 3

    monkeypatch.setattr("tests.fuzz.crash_files.FOLDER", tmp_path)
    monkeypatch.setitem(PROPERTIES, "decode", Property(is_short, (st.binary(),), lambda data: data))
    with pytest.raises(AssertionError):
        run_property("decode", 100, derandomize=True)
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"\0\0\0"


@pytest.mark.parametrize("path", crash_files(), ids=lambda path: path.name)
def test_kept_crash_stays_fixed(path: Path) -> None:
    """Pass an input that has crashed its target."""
    TARGETS[path.name.partition("-")[0]](path.read_bytes())


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="atheris is not installed")
def test_guided_fuzzer_runs(tmp_path: Path) -> None:
    """Run libFuzzer on some seeds, with coverage and our mutations, without a crash."""
    for number, seed in enumerate(seeds("decode")[-10:]):
        (tmp_path / str(number)).write_bytes(seed)
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.guided",
            "decode",
            tmp_path,
            "-atheris_runs=300",
            "-seed=1",
            f"-artifact_prefix={tmp_path}/",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "Done 300 in" in finished.stdout + finished.stderr


def test_crash_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the input under its target and hash, and raise its exception."""
    monkeypatch.setattr("tests.fuzz.crash_files.FOLDER", tmp_path)
    with pytest.raises(ZeroDivisionError), keep("decode", b"data"):
        raise ZeroDivisionError
    (path,) = tmp_path.iterdir()
    assert (path.name, path.read_bytes()) == ("decode-crash-a17c9aaa61e80a1bf71d0d850af4e5baa9800bbd", b"data")


@pytest.mark.parametrize("whole", example_bytes().values(), ids=example_bytes())
def test_corruption_depends_only_on_its_seed(whole: bytes) -> None:
    """Split a file into parts that make it up, and corrupt it in the same way for the same random numbers."""
    assert b"".join(split(whole)) == whole
    first, second, third = (corrupt(whole, seven(), random.Random(seed)) for seed in (1, 1, 2))
    assert first == second != third


def test_changed_chunk_is_sealed() -> None:
    """Give a PNG chunk of any content its right length and checksum."""
    signature, header, *rest = split(seven())
    assert seal(header) == header
    assert seal(header[:-4] + b"!" + header[-4:]) != header
    assert seal(b"no chunk") == b"no chunk"
    assert b"".join([signature, seal(header[:8] + header[8:-4] + b"\0\0\0\0"), *rest]) == seven()


def test_oracles_are_not_blind() -> None:
    """Read an ordinary form and an ordinary document, and reject damaged ones."""
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="d"\r\n\r\nx\r\n--b--\r\n'
    assert parts_of_form(b"b", body) == [(b'form-data; name="file"; filename="d"', b"x")]
    assert parts_of_form(b"b", body[:-6]) is None
    assert image_of_document(b'{"image": "iVBORw0KGgo="}') == b"\x89PNG\r\n\x1a\n"
    assert image_of_document(b'{"image": "iVBORw0KGgo=!"}') is None
    request = strings("iVBORw0KGgo=")
    assert images_of_request(json.dumps(document(request)).encode()) == [b"\x89PNG\r\n\x1a\n"]
    assert images_of_request(json.dumps(document({**request, "shape": [2]})).encode()) is None
    assert images_of_request(json.dumps(document(numbers())).encode()) == IMAGES.tolist()
