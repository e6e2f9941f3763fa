"""Progress of a long step: a bar on a terminal, lines in a log. Imports nothing of this project."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

LOG_INTERVAL = 60.0
"""Seconds between two lines where there is no terminal."""

LOG_FORMAT = "{desc}: {percentage:.0f}% of {total_fmt}{unit}, {elapsed} elapsed, {remaining} left{postfix}"


class Progress(tqdm):  # type: ignore[type-arg]  # tqdm is generic in its types only
    """Shows on standard error how far a step is, and the time that is left at its mean speed.

    On a terminal it is one line that changes; elsewhere a new line every LOG_INTERVAL seconds and at each `refresh`.
    """

    def __init__(
        self,
        items: Iterable[Any] | None = None,
        description: str = "",
        total: int | None = None,
        initial: int = 0,
        unit: str = "images",
        leave: bool = False,
    ) -> None:
        """Show the progress through `items`, or that of `update`.

        total: number of items, `len(items)` by default. initial: those that an earlier run did. unit: their plural.
        leave: whether the bar stays on the terminal at the end.
        """
        self._is_log = not sys.stderr.isatty()
        super().__init__(
            items,
            description,
            total,
            initial=initial,
            unit=f" {unit}",
            leave=leave and not self._is_log,
            miniters=1,  # tqdm's own choice leaves its monitor to show counts that are a minute old
            mininterval=LOG_INTERVAL if self._is_log else 0.1,
            maxinterval=LOG_INTERVAL,
            bar_format=LOG_FORMAT if self._is_log else None,
            smoothing=0,  # the mean includes validations and other pauses
        )

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:  # type: ignore[override]
        """Draw the bar, or write a line. Returns whether the terminal has changed."""
        if not self._is_log:
            return bool(super().display(msg, pos))
        if msg is None:
            self.fp.write(f"{self}\n")
            self.fp.flush()
        return False
