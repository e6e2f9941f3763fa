"""Log lines are written in a thread, whole and in order, and never block the caller."""

import os
import threading
from pathlib import Path

import pytest

from service.process.line_writer import MAX_LINES, MAX_WRITE, LineWriter
from tests.service.process.running_service import TIMEOUT


def test_lines_are_written_in_order(tmp_path: Path) -> None:
    """Write each line once, also one that is longer than a block."""
    lines = [f"line {number}" for number in range(3_000)] + ["x" * 3 * MAX_WRITE, "the end \ud800"]
    with (tmp_path / "log").open("wb") as stream:
        writer = LineWriter(stream.fileno())
        for line in lines:
            writer.write(line)
        writer.flush(TIMEOUT)
    assert (tmp_path / "log").read_text().splitlines() == [*lines[:-1], "the end \\ud800"]


def test_slow_reader_does_not_block_the_caller() -> None:
    """Queue lines for a pipe that nobody reads, and drop the oldest beyond MAX_LINES."""
    read_end, write_end = os.pipe()
    writer = LineWriter(write_end)
    for number in range(3 * MAX_LINES):
        writer.write(f"{number:0100}")
    writer.flush(0.2)
    received = bytearray()
    reader = threading.Thread(target=lambda: received.extend(_read_all(read_end)))
    reader.start()
    writer.flush(TIMEOUT)
    os.close(write_end)
    reader.join(TIMEOUT)
    numbers = [int(line) for line in received.splitlines()]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 3 * MAX_LINES - 1
    assert MAX_LINES <= len(numbers) < 3 * MAX_LINES


def test_reader_that_has_gone_is_ignored() -> None:
    """Accept lines after the reader of the log has ended."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    writer = LineWriter(write_end)
    for _ in range(3):
        writer.write("line")
        writer.flush(TIMEOUT)
    os.close(write_end)


def test_missing_thread_delays_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a line for which no thread can be started, as at a limit of processes, and write it with the next one."""

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with (tmp_path / "log").open("wb") as stream:
        writer = LineWriter(stream.fileno())
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            writer.write("first")
        writer.write("second")
        writer.flush(TIMEOUT)
    assert (tmp_path / "log").read_text() == "first\nsecond\n"


def _read_all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()
