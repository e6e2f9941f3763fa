"""MNIST is complete and unchanged, or the error names the file."""

import gzip
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from export.data.dataset import Dataset
from export.data.mnist import SHA256, VALIDATION_SIZE, download, load_test, load_train, mnist_folder
from export.errors import DataError

IMAGES = "t10k-images-idx3-ubyte"


@pytest.fixture
def folder(mnist_folder: Path, tmp_path: Path) -> Path:
    """Link to MNIST's files in a new folder, so that tests can replace single files."""
    for name in SHA256:
        (tmp_path / f"{name}.gz").symlink_to((mnist_folder / f"{name}.gz").resolve())
    return tmp_path


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_the_test_set_is_complete(mnist_test: Dataset) -> None:
    """Has 10,000 images and the published number of each label."""
    assert mnist_test.images.shape == (10_000, 28, 28)
    assert np.bincount(mnist_test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_split_is_fixed_and_disjoint(mnist_folder: Path) -> None:
    """Keeps the same 5,000 of the 60,000 training images for validation every time."""
    train, validation = load_train(mnist_folder)
    assert (len(train), len(validation)) == (55_000, VALIDATION_SIZE)
    again = load_train(mnist_folder)[1]
    assert np.array_equal(validation.images, again.images)
    counts = np.bincount(Dataset.concat([train, validation]).labels)
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_unpacked_files_are_read_too(folder: Path) -> None:
    """Reads a file with or without .gz."""
    packed = folder / f"{IMAGES}.gz"
    (folder / IMAGES).write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert len(load_test(folder)) == 10_000


def test_a_missing_file_is_named(folder: Path) -> None:
    """Says which variable to set."""
    (folder / f"{IMAGES}.gz").unlink()
    with pytest.raises(DataError, match=f"{IMAGES}.gz does not exist. Set MNIST_DIR"):
        load_test(folder)


@pytest.mark.parametrize("length", [0, 1, 1000, -1])
def test_a_truncated_file_is_named(folder: Path, length: int) -> None:
    """Detects a truncation at any length."""
    packed = folder / f"{IMAGES}.gz"
    replace(packed, packed.read_bytes()[:length])
    with pytest.raises(DataError, match=f"{IMAGES}.*(truncated|damaged)"):
        load_test(folder)


def test_a_changed_file_is_named_with_its_hash(folder: Path) -> None:
    """Detects a single changed pixel."""
    packed = folder / f"{IMAGES}.gz"
    changed = bytearray(gzip.decompress(packed.read_bytes()))
    changed[5000] ^= 1
    replace(packed, gzip.compress(changed, compresslevel=1))
    with pytest.raises(DataError, match=f"not {SHA256[IMAGES]}"):
        load_test(folder)


def test_the_folder_comes_from_mnist_dir() -> None:
    """Treats an unset and an empty variable alike: the cache."""
    assert mnist_folder({"MNIST_DIR": "/data/mnist"}) == Path("/data/mnist")
    assert mnist_folder({"MNIST_DIR": ""}) is mnist_folder({}) is None


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without writing a log to standard error."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write nothing."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Start a mirror on the loopback interface. Yields the folder that it serves, and its address."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_files_are_downloaded_from_the_first_mirror_that_has_them(mirror: tuple[Path, str], tmp_path: Path) -> None:
    """Downloads each file once; a file in the cache is not fetched again."""
    folder, address = mirror
    for name in SHA256:
        (folder / f"{name}.gz").write_bytes(name.encode())
    cache = download(tmp_path / "cache", ("http://127.0.0.1:9/", address))
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == {f"{n}.gz": n.encode() for n in SHA256}
    assert download(cache, ()) == cache


def test_a_failed_download_says_what_to_do(mirror: tuple[Path, str], tmp_path: Path) -> None:
    """Gives each mirror's reason, and leaves no incomplete file."""
    with pytest.raises(DataError, match=r"HTTP Error 404.*Set MNIST_DIR"):
        download(tmp_path / "cache", (mirror[1],))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_download_of_something_else_is_rejected(mirror: tuple[Path, str], tmp_path: Path) -> None:
    """Trusts the hash, not the mirror."""
    for name in SHA256:
        (mirror[0] / f"{name}.gz").write_bytes(gzip.compress(b"<html>Sign in to this network</html>"))
    with pytest.raises(DataError, match="damaged or not MNIST's"):
        load_test(download(tmp_path / "cache", (mirror[1],)))
