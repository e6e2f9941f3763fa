"""Own digits load as the service sees them and keep their split, or the error says what to do in which line."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from export.data.own_digits import OwnDigits, load_own_digits
from export.errors import DataError
from service.imaging.decode import decode
from service.imaging.normalize import find_digit
from tests.images import SEVEN, encode
from tests.own_digits import write_folder

COUNT = 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "own", COUNT)


def held_out_files(own: OwnDigits) -> set[str]:
    return {digit.row.file for digit in own.held_out}


def change_labels(folder: Path, old: str, new: str) -> None:
    labels = folder / "labels.csv"
    assert old in labels.read_text()
    labels.write_text(labels.read_text().replace(old, new))


def test_every_image_is_loaded_as_the_service_sees_it(folder: Path) -> None:
    """Decode and normalize each file, and put it into training or validation, not into both."""
    own = load_own_digits(folder)
    assert len(own.training) + len(own.validation) == len(own.digits) == COUNT
    assert 0 < len(own.validation) < COUNT / 2
    for digit in own.digits:
        seen = find_digit(decode(digit.path.read_bytes(), 10**8)).image
        dataset = own.validation if digit.is_held_out else own.training
        assert any(np.array_equal(image[0], seen) for image in dataset.images)
    assert own.training.images.dtype == np.float32
    assert set(own.training.labels) == set(own.validation.labels) == {7}


def test_a_folder_that_grows_keeps_its_split(folder: Path, tmp_path: Path) -> None:
    """Hold out the same files after others were added, whatever the order of the table and the names."""
    before = held_out_files(load_own_digits(folder))
    larger = write_folder(tmp_path / "larger", 2 * COUNT)
    rows = (larger / "labels.csv").read_text().splitlines()
    (larger / "labels.csv").write_text("\n".join([rows[0], *reversed(rows[1:])]))
    after = held_out_files(load_own_digits(larger))
    first = {file for file in after if int(Path(file).stem) < COUNT}
    assert first == before
    assert len(after) > len(before)


def test_the_hash_covers_images_and_digits_but_no_names(folder: Path) -> None:
    """Hash the sorted lines of content and digit, so that anyone can repeat it."""
    own = load_own_digits(folder)
    files = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.suffix != ".csv")
    assert own.sha256 == hashlib.sha256("".join(f"{file},7\n" for file in files).encode()).hexdigest()
    (folder / "0.png").rename(folder / "renamed.png")
    change_labels(folder, "\n0.png,7", "\nrenamed.png,7")
    assert load_own_digits(folder).sha256 == own.sha256
    change_labels(folder, "renamed.png,7", "renamed.png,1")
    assert load_own_digits(folder).sha256 != own.sha256


def test_tables_as_spreadsheets_write_them_are_read(folder: Path) -> None:
    """Accept a byte order mark, CRLF, spaces, further columns, blank lines, and columns in another order."""
    rows = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()[1:]]
    lines = ["writer,Digit, File", *(f'"Doe, J.", {digit} ,{file}' for file, digit in rows), "", ""]
    (folder / "labels.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    assert len(load_own_digits(folder).digits) == COUNT


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("none.png,7", r"none.png cannot be read \(No such file or directory\). Put it there, or delete the line."),
        (",7", r"no file is named. Complete the line, or delete it."),
        ("0.png,10", r"0.png has the digit '10'. Write 0 to 9."),
        ("0.png,seven", r"0.png has the digit 'seven'. Write 0 to 9."),
        ("0.png", r"0.png has the digit ''. Write 0 to 9."),
        ("./0.png,7", r"./0.png is listed in line 2, too. Delete one of the lines."),
        ("text.png,7", r"text.png: the bytes are neither a PNG nor a JPEG file. Replace the file, or delete the line."),
        ("cut.png,7", r"cut.png: the file is damaged or truncated .* Replace the file, or delete the line."),
        ("blank.png,7", r"blank.png: no digit found. .* Replace the file, or delete the line."),
        ("copy.png,1", r"copy.png is labeled 1, but the same image in line 2, 0.png, is labeled 7. Delete the wrong"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(folder: Path, line: str, message: str) -> None:
    """Name the table, the line, the file, and what to do."""
    (folder / "text.png").write_text("seven")
    (folder / "cut.png").write_bytes(encode(SEVEN)[:200])
    (folder / "blank.png").write_bytes(encode(SEVEN.point(lambda _: 255)))
    shutil.copy(folder / "0.png", folder / "copy.png")
    with (folder / "labels.csv").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=rf"own/labels.csv, line {COUNT + 2}: .*{message}"):
        load_own_digits(folder)


def test_all_lines_that_cannot_be_used_are_listed(folder: Path) -> None:
    """List them in one error, up to twenty, and count the others."""
    change_labels(folder, ",7", ",x")
    with pytest.raises(DataError) as caught:
        load_own_digits(folder)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"24 of the 24 rows in {folder / 'labels.csv'} cannot be used:"
    assert lines[1] == "  line 2: 0.png has the digit 'x'. Write 0 to 9."
    assert lines[21:] == ["  and 4 more"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"", r"labels.csv is empty. Write the header file,digit and one line per image: seven.png,7"),
        (b"file,digit\n", r"labels.csv lists no images. Write one line per image below the header: seven.png,7"),
        (
            b"0.png,7\n1.jpg,7\n",
            r"labels.csv, line 1: '0.png,7' is not the header. The first line must name .* file,digit",
        ),
        (b"file;digit\n0.png;7\n", r"labels.csv, line 1: 'file;digit' is not the header. .* separated by a comma"),
        (b"file,label\n0.png,7\n", r"labels.csv, line 1: 'file,label' is not the header"),
        ("datei,ziffer,größe\n".encode("latin-1"), r"labels.csv is not a CSV file in UTF-8 .* Save it as one."),
    ],
)
def test_a_table_that_cannot_be_used_is_named(folder: Path, table: bytes, message: str) -> None:
    """Show what is wrong with it, and an example."""
    (folder / "labels.csv").write_bytes(table)
    with pytest.raises(DataError, match=message):
        load_own_digits(folder)


def test_a_folder_without_a_table_is_named(tmp_path: Path) -> None:
    """Say what the folder must hold."""
    with pytest.raises(DataError, match=r"labels.csv cannot be read \(No such file .* the columns file and digit."):
        load_own_digits(tmp_path / "none")


@pytest.mark.parametrize("use", ["training", "validation"])
def test_too_few_images_for_a_split_are_rejected(folder: Path, use: str) -> None:
    """Say that one side of the split is empty, and how many images to add."""
    own = load_own_digits(folder)
    file = next(digit.row.file for digit in own.digits if digit.is_held_out == (use == "training"))
    (folder / "labels.csv").write_text(f"file,digit\n{file},7\n")
    with pytest.raises(DataError, match=f"None of the 1 images in .*own falls to {use}: .* Add images, to 100 or more"):
        load_own_digits(folder)
