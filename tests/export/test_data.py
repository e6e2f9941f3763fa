"""MNIST is MNIST, whole and unchanged, or there is a clear error."""

import gzip
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from export.data import SHA256, VALIDATION_SIZE, Digits, download, load_test, load_train, mnist_folder
from export.errors import DataError

IMAGES = "t10k-images-idx3-ubyte"


@pytest.fixture
def folder(mnist_folder: Path, tmp_path: Path) -> Path:
    """A folder of links to MNIST's files, to damage."""
    for name in SHA256:
        (tmp_path / f"{name}.gz").symlink_to((mnist_folder / f"{name}.gz").resolve())
    return tmp_path


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_the_test_set_is_whole(mnist_test: Digits) -> None:
    """10,000 images with the label counts that are known of MNIST."""
    assert mnist_test.images.shape == (10_000, 28, 28)
    assert np.bincount(mnist_test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_split_is_fixed_and_shares_nothing(mnist_folder: Path) -> None:
    """5,000 of the 60,000 training images, the same ones every time, are kept for validation."""
    learning, validation = load_train(mnist_folder)
    assert (len(learning), len(validation)) == (55_000, VALIDATION_SIZE)
    again = load_train(mnist_folder)[1]
    assert np.array_equal(validation.images, again.images)
    together = np.bincount(np.concatenate([learning.labels, validation.labels]))
    assert together.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_unpacked_files_are_read_too(folder: Path) -> None:
    """With or without .gz."""
    packed = folder / f"{IMAGES}.gz"
    (folder / IMAGES).write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert len(load_test(folder)) == 10_000


def test_a_missing_file_is_named(folder: Path) -> None:
    """With what to set."""
    (folder / f"{IMAGES}.gz").unlink()
    with pytest.raises(DataError, match=f"{IMAGES}.gz does not exist. Set MNIST_DIR"):
        load_test(folder)


@pytest.mark.parametrize("length", [0, 1, 1000, -1])
def test_a_truncated_file_is_named(folder: Path, length: int) -> None:
    """Wherever the download broke off."""
    packed = folder / f"{IMAGES}.gz"
    replace(packed, packed.read_bytes()[:length])
    with pytest.raises(DataError, match=f"{IMAGES}.*(truncated|damaged)"):
        load_test(folder)


def test_a_wrong_file_is_named_with_its_hash(folder: Path) -> None:
    """One pixel is enough."""
    packed = folder / f"{IMAGES}.gz"
    changed = bytearray(gzip.decompress(packed.read_bytes()))
    changed[5000] ^= 1
    replace(packed, gzip.compress(changed, compresslevel=1))
    with pytest.raises(DataError, match=f"not {SHA256[IMAGES]}"):
        load_test(folder)


def test_the_folder_comes_from_mnist_dir() -> None:
    """Not set, or empty, means the cache."""
    assert mnist_folder({"MNIST_DIR": "/data/mnist"}) == Path("/data/mnist")
    assert mnist_folder({"MNIST_DIR": ""}) is mnist_folder({}) is None


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing on standard error."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A mirror on the loopback, and the folder that it serves."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_files_are_downloaded_from_the_first_mirror_that_has_them(mirror: tuple[Path, str], tmp_path: Path) -> None:
    """And only once: what lies in the cache is not fetched again."""
    folder, address = mirror
    for name in SHA256:
        (folder / f"{name}.gz").write_bytes(name.encode())
    cache = download(tmp_path / "cache", ("http://127.0.0.1:9/", address))
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == {f"{n}.gz": n.encode() for n in SHA256}
    assert download(cache, ()) == cache


def test_a_download_that_fails_says_what_to_do(mirror: tuple[Path, str], tmp_path: Path) -> None:
    """Each mirror with its own reason, and no half file left behind."""
    with pytest.raises(DataError, match=r"HTTP Error 404.*Set MNIST_DIR"):
        download(tmp_path / "cache", (mirror[1],))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_download_of_something_else_is_refused(mirror: tuple[Path, str], tmp_path: Path) -> None:
    """A mirror's answer is not trusted: the hash decides."""
    for name in SHA256:
        (mirror[0] / f"{name}.gz").write_bytes(gzip.compress(b"<html>Sign in to this network</html>"))
    with pytest.raises(DataError, match="damaged or not MNIST's"):
        load_test(download(tmp_path / "cache", (mirror[1],)))
