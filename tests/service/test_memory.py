"""What a start alone needed is given back, and nothing that was written is lost."""

import ctypes
import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from service import memory

SHRINKS = """
import re
from pathlib import Path
import numpy as np
from service import memory
from service.classifier import Classifier, self_test_input
from service.contract import Contract

def of_files() -> int:
    return int(re.search(r"Pss_File: +(\\d+)", Path("/proc/self/smaps_rollup").read_text())[1])

classifier = Classifier(Contract.verify(Path("weights/cnn")))
before = classifier.classify(self_test_input())
started = of_files()
memory.forget_start()
assert of_files() < 0.6 * started, (of_files(), started)
assert classifier.classify(self_test_input()) == before
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc/self/smaps_rollup here")
def test_the_code_of_the_start_goes_and_the_service_answers_as_before() -> None:
    """Loaded libraries shrink to what runs; the answer to the self-test is the same."""
    done = subprocess.run([sys.executable, "-c", SHRINKS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="no /proc/self/smaps here")
def test_a_mapping_that_was_written_is_left_alone(tmp_path: Path) -> None:
    """Libraries have such pages, relocated at their load: to drop them would end the process."""
    path = tmp_path / "library"
    path.write_bytes(b"a" * mmap.PAGESIZE * 2)
    with path.open("rb") as file:
        written, untouched = (
            mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) for _ in "ab"
        )
    written[0:1] = b"b"
    places = [_address(mapping) for mapping in (written, untouched)]
    for place in places:
        assert memory._libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(len(written)), mmap.PROT_READ) == 0
    starts = [start for start, _ in memory._unwritten_files()]
    assert [place in starts for place in places] == [False, True]
    memory.forget_start()
    assert (written[0:1], untouched[0:1]) == (b"b", b"a")


def _address(mapping: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(mapping))
