"""Ctrl-C leaves whole rows and whole files."""

import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.images import DIGIT
from tests.service.cli.command import PNG, run, start
from tests.service.process.running_service import TIMEOUT, children, wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a folder of 3,000 images, which take more than a second."""
    folder = tmp_path_factory.mktemp("scans")
    (folder / "0000.png").write_bytes(PNG)
    for index in range(1, 3_000):
        os.link(folder / "0000.png", folder / f"{index:04}.png")
    return folder


def interrupt(number: signal.Signals, output: Path, *arguments: str | Path) -> tuple[int, str]:
    """Send a signal to the command and its processes once it has written. Return its exit status and errors."""
    with output.open("wb") as stream:
        process = start(*arguments, stdout=stream, stderr=subprocess.PIPE, start_new_session=True)
    wait_until(lambda: output.stat().st_size > 0 or process.poll() is not None)
    os.killpg(process.pid, number)  # as a terminal does
    _, errors = process.communicate(timeout=TIMEOUT)
    return process.returncode, errors.decode()


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_rows_are_whole(folder: Path, tmp_path: Path, jobs: str, number: signal.Signals) -> None:
    """Print whole rows of the first files, say how many, and exit as the signal demands."""
    status, errors = interrupt(number, tmp_path / "out", "--json", "--jobs", jobs, folder)
    lines = (tmp_path / "out").read_text().splitlines(keepends=True)
    records = [json.loads(line) for line in lines]
    assert lines[-1].endswith("\n")
    assert [record["file"] for record in records] == [f"{folder}/{index:04}.png" for index in range(len(records))]
    assert 0 < len(records) < 3_000
    assert errors == f"digit-predict: interrupted after {len(records):,} files. What was written is complete.\n"
    assert status == 128 + number


def test_files_are_whole(folder: Path, tmp_path: Path) -> None:
    """Complete the Parquet file and the contact sheet with the rows up to the interruption."""
    parquet = pytest.importorskip("pyarrow.parquet")
    rows, sheet = tmp_path / "rows.parquet", tmp_path / "sheet.png"
    with start("--parquet", rows, "--show", sheet, folder, stderr=subprocess.PIPE) as process:
        wait_until(tmp_path.joinpath("rows.parquet.partial").exists)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT)
    table = parquet.read_table(rows)
    assert f"interrupted after {table.num_rows:,} files" in errors.decode()
    assert table.num_rows < 3_000
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {"rows.parquet", "sheet.png"}


def test_an_old_file_stays_if_the_command_is_killed(folder: Path, tmp_path: Path) -> None:
    """Replace a Parquet file only by a complete one."""
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = tmp_path / "rows.parquet"
    assert run("--parquet", rows, folder / "0000.png").returncode == 0
    process = start("--parquet", rows, "--jobs", "2", folder)
    wait_until(tmp_path.joinpath("rows.parquet.partial").exists)
    process.kill()
    process.wait()
    assert parquet.read_table(rows)["digit"].to_pylist() == [DIGIT]


def test_second_signal_ends_a_run_whose_reader_is_stuck(folder: Path) -> None:
    """End at once on a second Ctrl-C, even if nobody reads the output."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4_096)
    process = start("--json", "--jobs", "2", folder, stdout=writer)
    os.close(writer)
    wait_until(lambda: len(children(process.pid)) == 2 and os.read(reader, 1) != b"")
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT) == 128 + signal.SIGINT
    os.close(reader)


def test_closed_pipe_ends_quietly(folder: Path, tmp_path: Path) -> None:
    """End without a traceback if the reader closes the pipe, as `head` does. The contact sheet is complete."""
    sheet = tmp_path / "sheet.png"
    with start("--csv", "--show", sheet, folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(TIMEOUT) == 141
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
