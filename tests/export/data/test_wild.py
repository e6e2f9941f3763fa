"""Wild images are loaded as the service sees them, or the error names the file."""

from pathlib import Path

import numpy as np
import pytest

from export.data.wild import load_wild, wild_folder
from export.errors import DataError
from service.imaging.decode import decode
from service.imaging.normalize import normalize_digit
from tests.images import DIGIT, SEVEN, encode

HEADER = "file,label,writer,kind,background\n"


def write_labels(folder: Path, *rows: str, header: str = HEADER) -> None:
    (folder / "labels.csv").write_text(header + "".join(f"{row}\n" for row in rows))


def test_images_are_preprocessed_as_the_service_does(tmp_path: Path) -> None:
    """Decodes and normalizes each file, and keeps label, writer and kind of its row."""
    (tmp_path / "seven.png").write_bytes(encode(SEVEN))
    write_labels(tmp_path, f"seven.png,{DIGIT},w01,paint,white")
    (wild,) = load_wild(tmp_path)
    assert (wild.file, wild.label, wild.writer, wild.kind) == ("seven.png", 7, "w01", "paint")
    assert wild.image is not None
    assert np.array_equal(wild.image, normalize_digit(decode(encode(SEVEN), 10**8)))


def test_a_rejected_image_keeps_its_row(tmp_path: Path) -> None:
    """Gives None for a file that is no image and for a blank one, in the order of the table."""
    (tmp_path / "text.png").write_text("seven")
    (tmp_path / "blank.png").write_bytes(encode(SEVEN.point(lambda _: 255)))
    (tmp_path / "seven.jpg").write_bytes(encode(SEVEN, "JPEG"))
    write_labels(tmp_path, "text.png,7,w1,scan,", "blank.png,7,w2,scan,", "seven.jpg,7,w3,photo,")
    images = load_wild(tmp_path)
    assert [wild.image is None for wild in images] == [True, True, False]
    assert [wild.writer for wild in images] == ["w1", "w2", "w3"]


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    """Says which variable to set."""
    with pytest.raises(DataError, match=r"labels.csv cannot be read \(No such file or directory\). Set WILD_DIR"):
        load_wild(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    """Says which columns the table must have."""
    write_labels(tmp_path, "seven.png,7,w1", header="file,label,writer\n")
    with pytest.raises(DataError, match=r"labels.csv has no column kind. Its columns must be file, label"):
        load_wild(tmp_path)


def test_an_empty_table_is_named(tmp_path: Path) -> None:
    """Rejects a table without rows, because nothing could be measured on it."""
    write_labels(tmp_path)
    with pytest.raises(DataError, match=r"labels.csv lists no images. Set WILD_DIR"):
        load_wild(tmp_path)


@pytest.mark.parametrize("label", ["seven", "", "-1", "10"])
def test_an_invalid_label_is_named(tmp_path: Path, label: str) -> None:
    """Names the file and its label."""
    (tmp_path / "seven.png").write_bytes(encode(SEVEN))
    write_labels(tmp_path, f"seven.png,{label},w1,scan,")
    with pytest.raises(DataError, match=f"seven.png has the label '{label}' in labels.csv. It must be a digit"):
        load_wild(tmp_path)


def test_a_listed_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """Does not count a missing file as a rejected image."""
    write_labels(tmp_path, "none.png,7,w1,scan,")
    with pytest.raises(DataError, match=r"none.png cannot be read \(No such file or directory\), but labels.csv"):
        load_wild(tmp_path)


def test_the_folder_comes_from_wild_dir() -> None:
    """Treats an unset and an empty variable alike: no wild images."""
    assert wild_folder({"WILD_DIR": "/data/wild"}) == Path("/data/wild")
    assert wild_folder({"WILD_DIR": ""}) is wild_folder({}) is None
