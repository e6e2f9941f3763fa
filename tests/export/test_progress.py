"""Progress is a bar on a terminal, and lines in a log."""

import io
import sys

import pytest

from export import progress
from export.progress import Progress


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_a_terminal_shows_a_bar_with_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redraw one line with share, time and speed."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = Progress(description="Reading", total=200, leave=True)
    bar.update(50)
    bar.refresh()
    assert "\rReading:  25%|" in terminal.getvalue()
    assert "| 50/200 [00:00<00:0" in terminal.getvalue()
    assert " images/s]" in terminal.getvalue()
    assert "\n" not in terminal.getvalue()
    bar.close()
    assert terminal.getvalue().endswith("\n")


def test_a_log_gets_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Write whole lines without control characters, the first at once, then one per interval."""
    monkeypatch.setattr(progress, "LOG_INTERVAL", 0)
    assert list(Progress(range(3), "Reading")) == [0, 1, 2]
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Reading: {share}% of 3 images" for share in (0, 33, 67, 100)]
    assert lines[0].endswith(" elapsed, ? left")
    assert lines[-1].endswith(" elapsed, 00:00 left")


def test_a_short_step_leaves_one_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Write nothing more before a minute is over."""
    list(Progress(range(1000), "Reading"))
    assert capsys.readouterr().err == "Reading: 0% of 1000 images, 00:00 elapsed, ? left\n"
