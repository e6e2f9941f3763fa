"""Images are found in files, folders, ZIP files and standard input. What cannot be read is a row with its error."""

import json
import os
from pathlib import Path

from service.cli.folder import MAX_SORTED, walk_folder
from service.cli.source import MAX_FILE_BYTES
from tests.images import DIGIT, empty_png
from tests.service.cli.command import PNG, errors, run

NOT_AN_IMAGE = "Error processing image: the bytes are neither a PNG nor a JPEG file."
LINK = "it is a link to a folder that is read already, and is left out."


def test_standard_input_is_one_image() -> None:
    """Read an image from standard input, also in another process, and only once."""
    for options in ([], ["--jobs", "2"]):
        output = run("--json", *options, "-", "-", stdin=PNG).stdout
        first, second = map(json.loads, output.splitlines())
        assert (first["file"], first["digit"]) == ("-", DIGIT)
        assert second["error"] == "Error processing image: the file is empty. Send a PNG or JPEG file."


def test_folder_is_read_with_its_subfolders_in_order(tmp_path: Path) -> None:
    """Sort by name, leave out hidden files and folders, and name what is not an image."""
    for name in ("b/2.png", "b/1.png", "a.png", "c.txt", ".hidden.png", ".git/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PNG if name.endswith("png") else b"text")
    expected = {"a.png": None, "b/1.png": None, "b/2.png": None, "c.txt": NOT_AN_IMAGE}
    assert errors(tmp_path) == {str(tmp_path / name): error for name, error in expected.items()}


def test_link_loops_end(tmp_path: Path) -> None:
    """Read a folder once that several links lead to, and never one that contains the link."""
    (tmp_path / "images" / "inner").mkdir(parents=True)
    (tmp_path / "images" / "1.png").write_bytes(PNG)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "2.png").write_bytes(PNG)
    (tmp_path / "images" / "file.png").symlink_to("1.png")
    (tmp_path / "images" / "inner" / "up").symlink_to("..")
    (tmp_path / "images" / "link").symlink_to("../other")
    (tmp_path / "images" / "same").symlink_to("../other")
    (tmp_path / "images" / "self").symlink_to("self")
    found = errors("images", cwd=tmp_path)
    assert found.pop("images/self") == "it cannot be read (Too many levels of symbolic links)."
    assert found == {
        "images/1.png": None,
        "images/file.png": None,
        "images/inner/up": LINK,
        "images/link/2.png": None,
        "images/same": LINK,
    }


def test_special_files_in_a_folder_do_not_block(tmp_path: Path) -> None:
    """Name a named pipe and a broken link instead of waiting for them."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    assert errors(".", cwd=tmp_path) == {
        "./broken": "it cannot be read (No such file or directory).",
        "./pipe": "it is not a regular file.",
    }


def test_arguments_that_cannot_be_read_are_rows(tmp_path: Path) -> None:
    """Name a missing file, an empty folder and a file that is too large, and read the others."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "image").write_bytes(PNG)
    with (tmp_path / "large").open("wb") as large:
        large.truncate(MAX_FILE_BYTES + 1)
    found = errors("missing", "empty", "large", "image", cwd=tmp_path)
    assert found == {
        "missing": "it cannot be read (No such file or directory).",
        "empty": "it holds no files.",
        "large": "it has more than 100 MB. Send a smaller image: 28 x 28 is enough.",
        "image": None,
    }


def test_decompression_bomb_is_a_row(tmp_path: Path) -> None:
    """Refuse an image of 400 megapixels by its header, as the service does."""
    (tmp_path / "bomb.png").write_bytes(empty_png(20_000, 20_000))
    (tmp_path / "cut.png").write_bytes(PNG[:200])
    found = errors(".", cwd=tmp_path)
    assert "it has too many pixels" in str(found["./bomb.png"])
    assert "damaged or truncated" in str(found["./cut.png"])


def test_memory_for_decoding_is_a_setting(tmp_path: Path) -> None:
    """Refuse images that need more memory than MAX_DECODED_BYTES, and name the setting if it is invalid."""
    (tmp_path / "a.png").write_bytes(PNG)
    found = errors("a.png", cwd=tmp_path, environ={"MAX_DECODED_BYTES": "5000"})
    assert "it has too many pixels" in str(found["a.png"])
    assert "MAX_DECODED_BYTES='x'" in run("a.png", cwd=tmp_path, environ={"MAX_DECODED_BYTES": "x"}).stderr


def test_names_that_are_not_utf8_are_escaped(tmp_path: Path) -> None:
    """Print a name with invalid bytes in an escaped form, and one with umlauts as it is, in any locale."""
    for name in (b"\xff.png", "ü.png".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(PNG)
    finished = run("--csv", ".", cwd=tmp_path, environ={"PYTHONIOENCODING": "ascii"})
    assert [line.split(",")[0] for line in finished.stdout.splitlines()] == ["file", "./ü.png", "./\\xff.png"]
    assert finished.returncode == 0


def test_large_folder_is_listed_in_bounded_memory(tmp_path: Path) -> None:
    """Yield every file of a folder with more than MAX_SORTED entries, before all of them are listed."""
    for index in range(MAX_SORTED + 5):
        (tmp_path / str(index)).touch()
    names = [source.name for source in walk_folder(str(tmp_path))]
    assert sorted(names) == sorted(str(tmp_path / str(index)) for index in range(MAX_SORTED + 5))
