"""Memory that is no longer needed is returned to the system, and nothing that was written is lost."""

import ctypes
import mmap
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.process import memory
from tests.conftest import ROOT

SMAPS = Path("/proc/self/smaps")
libc = ctypes.CDLL(None)

needs_smaps = pytest.mark.skipif(not SMAPS.exists(), reason="this system has no /proc/self/smaps")


def address(mapping: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(mapping))


def resident_bytes(start: int) -> int:
    """Return the resident bytes of the mapping of this process that starts at an address."""
    mapping = SMAPS.read_text().partition(f"\n{start:08x}-")[2]
    resident = re.search(r"^Rss: +(\d+) kB$", mapping, re.MULTILINE)
    assert resident
    return int(resident[1]) * 1024


def map_file(path: Path) -> mmap.mmap:
    """Map a file privately and read every page of it. Python may write, so that its address can be taken."""
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    assert len(mapping[:]) == len(mapping)
    return mapping


def make_read_only(mapping: mmap.mmap) -> None:
    """Protect a mapping as the loader protects the data of a library after it has relocated it."""
    code = libc.mprotect(ctypes.c_void_p(address(mapping)), ctypes.c_size_t(len(mapping)), mmap.PROT_READ)
    assert code == 0


@needs_smaps
def test_clean_file_pages_are_dropped_and_read_again(tmp_path: Path) -> None:
    """Drop every page of a mapped file that was only read. Reading it again gives the same content."""
    path, content = tmp_path / "library", b"a" * mmap.PAGESIZE * 64
    path.write_bytes(content)
    mapping = map_file(path)
    make_read_only(mapping)
    start = address(mapping)
    assert resident_bytes(start) == len(content)
    memory.drop_clean_file_pages()
    assert resident_bytes(start) == 0
    assert mapping[:] == content


@needs_smaps
def test_written_file_pages_are_kept(tmp_path: Path) -> None:
    """Keep a mapping that was written to, such as a relocated library: dropping it would lose the changes."""
    path = tmp_path / "library"
    path.write_bytes(b"a" * mmap.PAGESIZE * 64)
    mapping = map_file(path)
    mapping[0:1] = b"b"
    make_read_only(mapping)
    memory.drop_clean_file_pages()
    assert resident_bytes(address(mapping)) == len(mapping)
    assert mapping[:2] == b"ba"


@needs_smaps
def test_writable_file_pages_are_kept(tmp_path: Path) -> None:
    """Keep a mapping that is still writable, although nothing was written to it."""
    path = tmp_path / "data"
    path.write_bytes(b"a" * mmap.PAGESIZE * 64)
    mapping = map_file(path)
    memory.drop_clean_file_pages()
    assert resident_bytes(address(mapping)) == len(mapping)


ONNXRUNTIME = """
import re
from pathlib import Path
from service.imaging.normalize import SIDE
from service.inference.classifier import Classifier, self_test_input
from service.inference.contract import Contract
from service.process import memory

def resident_code() -> int:
    smaps = Path("/proc/self/smaps").read_text()
    return sum(map(int, re.findall(r" r-xp .*/onnxruntime_pybind11_state.*\\n(?:[A-Z].*\\n)*?Rss: +(\\d+) kB", smaps)))

classifier = Classifier(Contract.verify(Path("weights/cnn-transformer")))
before = classifier.classify(self_test_input())
loaded = resident_code()
memory.drop_clean_file_pages()
dropped = resident_code()
after = classifier.classify(self_test_input())
print(loaded, dropped, resident_code(), before == after)
"""


@needs_smaps
def test_code_of_onnxruntime_is_dropped_until_it_runs_again() -> None:
    """Drop all code of onnxruntime after loading a model. Predicting again maps less of it and gives the same."""
    finished = subprocess.run(
        [sys.executable, "-c", ONNXRUNTIME], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    loaded, dropped, running, is_equal = finished.stdout.split()
    assert dropped == "0"
    assert 0 < int(running) < int(loaded)
    assert is_equal == "True"


HEAP = """
import ctypes, re
from pathlib import Path
from service.process import memory

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def resident_bytes() -> int:
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

blocks = [ctypes.c_void_p(libc.malloc(ctypes.c_size_t(65_536))) for _ in range(1_000)]
for block in blocks:
    ctypes.memset(block, 1, 65_536)
for block in blocks[:-1]:  # the last block keeps glibc from shrinking the heap by itself
    libc.free(block)
freed = resident_bytes()
memory.release_free_heap()
print(freed - resident_bytes())
"""


@pytest.mark.skipif(not hasattr(libc, "malloc_trim"), reason="this C library has no malloc_trim")
def test_free_heap_is_released() -> None:
    """Return at least 60 MB to the system after 65 MB of small blocks were freed, which glibc itself keeps."""
    finished = subprocess.run([sys.executable, "-c", HEAP], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) > 60_000_000


KEPT = """
import ctypes, resource, sys
from service.process import memory

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
memory.bound_heap()
if sys.argv[1] == "kept":
    memory.keep_freed_heap()

def use_block() -> None:
    block = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(15_000_000)))
    ctypes.memset(block, 1, 15_000_000)
    libc.free(block)

use_block()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use_block()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(libc, "mallopt"), reason="this C library has no mallopt")
@pytest.mark.parametrize(("mode", "is_kept"), [("bounded", False), ("kept", True)])
def test_freed_heap_is_kept_only_without_a_limit(mode: str, is_kept: bool) -> None:
    """Fault in the 3,662 pages of a large block once, or each time that it is used."""
    finished = subprocess.run([sys.executable, "-c", KEPT, mode], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert (int(finished.stdout) < 1_000) == is_kept


FORK = """
import gc, os, re, sys
from pathlib import Path
from service.process import memory

def own_bytes() -> int:
    return int(re.search(r"Private_Dirty: +(\\d+) kB", Path("/proc/self/smaps_rollup").read_text())[1]) * 1024

objects = [[] for _ in range(200_000)]
if sys.argv[1] == "frozen":
    memory.freeze_objects()
if os.fork() == 0:
    before = own_bytes()
    gc.collect()
    print(own_bytes() - before)
else:
    os.wait()
"""


@needs_smaps
def test_collection_in_a_forked_process_copies_no_pages() -> None:
    """Leave the pages of the parent's objects shared in a full collection. By default it copies megabytes of them."""
    copied = {}
    for kind in ("frozen", "default"):
        command = [sys.executable, "-c", FORK, kind]
        finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
        copied[kind] = int(finished.stdout)
    assert copied["frozen"] < 2_000_000
    assert copied["default"] > 5_000_000
