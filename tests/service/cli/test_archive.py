"""ZIP files are read entry by entry, without unpacking them on the disk."""

import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from service.cli.inputs import find_sources
from service.errors import FileError
from tests.images import DIGIT
from tests.service.cli.command import PNG, errors, run_here

DAMAGED = "the ZIP file is damaged or truncated. Create it again."
CENTRAL = b"PK\x01\x02"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Create an archive with a stored and a deflated image, a folder, hidden files and a text."""
    path = tmp_path / "scans.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.png", PNG)
        file.writestr("folder/", b"")
        file.writestr("folder/ü.png", PNG, zipfile.ZIP_DEFLATED)
        file.writestr("__MACOSX/folder/._b.png", b"x")
        file.writestr(".DS_Store", b"x")
        file.writestr("notes.txt", b"text")
    return path


def flip(path: Path, position: int, value: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= value
    path.write_bytes(content)


def test_entries_are_run_here(archive: Path) -> None:
    """Read stored and deflated entries in their order, without folders and hidden files."""
    first, second, text = run_here("scans.zip", cwd=archive.parent)
    assert (first["file"], first["digit"]) == ("scans.zip/a.png", DIGIT)
    assert (second["file"], second["digit"]) == ("scans.zip/folder/ü.png", DIGIT)
    assert (text["file"], text["digit"]) == ("scans.zip/notes.txt", None)


def test_archive_is_recognized_by_its_bytes(archive: Path) -> None:
    """Open an archive without the suffix, and one that has something in front."""
    (archive.parent / "plain").write_bytes(archive.read_bytes())
    (archive.parent / "shifted.zip").write_bytes(b"#!/bin/sh\n" + archive.read_bytes())
    assert [row["digit"] for row in run_here("plain", "shifted.zip", cwd=archive.parent)] == [DIGIT, DIGIT, None] * 2


def test_large_archives_have_64_bit_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the ZIP64 form, which `zipfile` writes once its limits are exceeded."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    with zipfile.ZipFile(tmp_path / "large.zip", "w") as file:
        for name in ("1.png", "2.png"):
            file.writestr(name, PNG)
    assert b"PK\x06\x06" in (tmp_path / "large.zip").read_bytes()
    assert [row["digit"] for row in run_here("large.zip", cwd=tmp_path)] == [DIGIT, DIGIT]


def test_encrypted_entry_is_a_row(archive: Path) -> None:
    """Say that it is encrypted, and read the others."""
    flip(archive, archive.read_bytes().index(CENTRAL) + 8, 1)
    found = errors("scans.zip", cwd=archive.parent)
    assert found["scans.zip/a.png"] == "it is encrypted. Decrypt the archive first."
    assert found["scans.zip/folder/ü.png"] is None


def test_other_compression_is_a_row(tmp_path: Path) -> None:
    """Name a compression method that is not supported."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a.png", PNG, zipfile.ZIP_LZMA)
    reason = "its compression method 14 is not supported. Use deflate, ZIP's default."
    assert errors("a.zip", cwd=tmp_path) == {"a.zip/a.png": reason}


def test_damaged_entry_is_a_row(archive: Path) -> None:
    """Check the CRC of an entry, and read the others."""
    flip(archive, archive.read_bytes().index(PNG) + 60, 0xFF)
    found = errors("scans.zip", cwd=archive.parent)
    assert found["scans.zip/a.png"] == DAMAGED
    assert found["scans.zip/folder/ü.png"] is None


def test_zip_bomb_is_a_row(tmp_path: Path) -> None:
    """Refuse an entry that unpacks to more than 100 MB, or to more than it declares."""
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("large", "w") as entry:
            for _ in range(101):
                entry.write(bytes(1_000_000))
        file.writestr("liar", bytes(1_000_000))
    content = bytearray((tmp_path / "bomb.zip").read_bytes())
    struct.pack_into("<L", content, content.rindex(CENTRAL) + 24, 1_000)
    (tmp_path / "bomb.zip").write_bytes(content)
    assert errors("bomb.zip", cwd=tmp_path) == {
        "bomb.zip/large": "it has more than 100 MB. Send a smaller image: 28 x 28 is enough.",
        "bomb.zip/liar": DAMAGED,
    }


@pytest.mark.parametrize("cut", [1, 30, 200, 400])
def test_truncated_archive_is_a_row(archive: Path, cut: int) -> None:
    """Name an archive whose end is missing."""
    archive.write_bytes(archive.read_bytes()[:-cut])
    assert errors("scans.zip", cwd=archive.parent) == {"scans.zip": DAMAGED}


def test_directory_that_is_damaged_in_the_middle_gives_the_rows_before(archive: Path) -> None:
    """Read the entries up to the damage, and name the archive."""
    content = archive.read_bytes()
    second = content.index(CENTRAL, content.index(CENTRAL) + 1)
    flip(archive, second, 0xFF)
    assert errors("scans.zip", cwd=archive.parent) == {"scans.zip/a.png": None, "scans.zip": DAMAGED}


@pytest.mark.parametrize("seed", range(4))
def test_any_damage_gives_rows(archive: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise nothing but FileError, whatever bytes of the directory change."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("last.png", PNG)
    content = archive.read_bytes()
    start = content.index(CENTRAL)
    random = Random(seed)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(start, len(content))] = random.choice((0, 1, 0x7F, 0xFF, random.randrange(256)))
        archive.write_bytes(damaged)
        for source in find_sources([str(archive)]):
            with suppress(FileError):
                source.read()


def test_empty_file_with_the_suffix_is_a_damaged_archive(tmp_path: Path) -> None:
    """Name a file that is an archive by its name only, and an archive without entries."""
    (tmp_path / "empty.zip").touch()
    with zipfile.ZipFile(tmp_path / "none.zip", "w"):
        pass
    expected = {"empty.zip": DAMAGED, "none.zip": "it holds no files."}
    assert errors("empty.zip", "none.zip", cwd=tmp_path) == expected
