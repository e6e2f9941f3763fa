"""A long run shows its progress on a terminal."""

import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from service.cli.progress import ERASE, MIN_FILES
from tests.service.cli.command import PNG, start
from tests.service.process.running_service import TIMEOUT


def run_on_terminal(folder: Path, number: int) -> tuple[int, str]:
    """Read a folder of images. Return the number of rows, and what was written to the terminal."""
    for index in range(number):
        (folder / f"{index}.png").write_bytes(PNG)
    terminal, side = pty.openpty()
    with start("--csv", folder, stdout=subprocess.PIPE, stderr=side) as process:
        os.close(side)
        output, _ = process.communicate(timeout=TIMEOUT)
    text = b""
    with suppress(OSError):  # how Linux reports that no writer is left
        while part := os.read(terminal, 65_536):
            text += part
    os.close(terminal)
    return output.count(b"\n") - 1, text.decode()


def test_progress_is_shown_and_erased(tmp_path: Path) -> None:
    """Show share, speed and time left on standard error, erase the line at the end, and keep it out of the rows."""
    rows, text = run_on_terminal(tmp_path, 3 * MIN_FILES)
    assert rows == 3 * MIN_FILES
    assert f" of {3 * MIN_FILES}, " in text
    assert "% " in text
    assert "/s, 0:00:" in text
    assert text.endswith(ERASE)


@pytest.mark.parametrize("number", [1, MIN_FILES - 1])
def test_few_files_show_no_progress(tmp_path: Path, number: int) -> None:
    """Write nothing to the terminal."""
    assert run_on_terminal(tmp_path, number) == (number, "")
