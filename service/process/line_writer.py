"""Write log lines in a thread, so that a slow reader of the log never stops the event loop."""

import os
import threading
import time
from collections import deque

MAX_LINES = 10_000
"""Lines that wait to be written. Beyond it the oldest are dropped: memory is bounded, and requests are served."""

COLLECT_SECONDS = 0.05
"""Time for which lines are collected, so that they share a system call and the thread wakes rarely."""

MAX_WRITE = 4_096
"""Bytes per write, whole lines. Pipes keep writes of this size (PIPE_BUF) of several workers apart."""


class LineWriter:
    """Appends lines to a descriptor. The thread starts with the first line, so that it exists in forked workers too."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._thread: threading.Thread | None = None
        self._has_lines = threading.Event()
        self._is_idle = threading.Event()

    def write(self, line: str) -> None:
        """Queue one line, without its line end."""
        self._lines.append(line)
        if not self._has_lines.is_set() and (self._thread is not None or self._start_thread()):
            self._is_idle.clear()
            self._has_lines.set()

    def flush(self, timeout: float) -> None:
        """Wait until all lines are written, for up to `timeout` seconds."""
        if self._thread is not None:
            self._is_idle.wait(timeout)

    def _start_thread(self) -> bool:
        """Start the thread. Without one, because the container has no more, the next line tries again."""
        thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            self._has_lines.wait()
            time.sleep(COLLECT_SECONDS)
            self._has_lines.clear()
            for block in self._take_blocks():
                self._write_block(block)
            if not self._has_lines.is_set():
                self._is_idle.set()

    def _take_blocks(self) -> list[bytes]:
        """Take the queued lines, joined to blocks of whole lines: of up to MAX_WRITE bytes, or one longer line."""
        blocks = [b""]
        while self._lines:
            line = self._lines.popleft().encode("utf-8", "backslashreplace") + b"\n"
            if len(blocks[-1]) + len(line) <= MAX_WRITE:
                blocks[-1] += line
            else:
                blocks.append(line)
        return blocks

    def _write_block(self, block: bytes) -> None:
        try:
            while block:
                block = block[os.write(self._descriptor, block) :]
        except OSError:  # the reader has gone: requests are served all the same
            return
