"""A line on the terminal that shows how far a long run is."""

import time
from typing import TextIO

MIN_FILES = 100
"""Fewer files are read before a line could be seen."""

INTERVAL = 0.1
"""Seconds between two updates."""

WIDTH = 24
"""Characters of the bar."""

ERASE = "\r\x1b[K"


class Progress:
    """Shows the files that are done, their share, the speed and the time that is left."""

    def __init__(self, stream: TextIO, total: int) -> None:
        """Show progress towards `total` files. Shows nothing if they are few, or if `stream` is not a terminal."""
        self._stream = stream
        self._total = total if total >= MIN_FILES else 0
        self._done = 0
        self._begun = self._shown = time.monotonic()

    def advance(self, files: int) -> None:
        """Count files that are done."""
        self._done += files
        now = time.monotonic()
        if self._total and now - self._shown >= INTERVAL:
            self._shown = now
            self._show(self._line(now - self._begun))

    def erase(self) -> None:
        """Remove the line, so that something else can be printed."""
        if self._total:
            self._show("")

    def _line(self, seconds: float) -> str:
        share = min(1.0, self._done / self._total)
        rate = self._done / seconds
        left = round(max(0, self._total - self._done) / rate)
        bar = "#" * round(share * WIDTH)
        time_left = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
        return f"[{bar:<{WIDTH}}] {share:4.0%} {self._done:,} of {self._total:,}, {rate:,.0f}/s, {time_left} left"

    def _show(self, line: str) -> None:
        self._stream.write(ERASE + line)
        self._stream.flush()
