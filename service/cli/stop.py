"""Stop on Ctrl-C or SIGTERM between two rows, never within one."""

import os
import signal


class Stop:
    """Remembers whether a signal has asked to stop. A second one ends the process at once."""

    def __init__(self) -> None:
        """Handle SIGINT and SIGTERM."""
        self.signal = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def is_requested(self) -> bool:
        """Return whether a signal has arrived."""
        return self.signal != 0

    @property
    def exit_code(self) -> int:
        """Return the exit status that tells a shell the signal."""
        return 128 + self.signal

    def _on_signal(self, number: int, _frame: object) -> None:
        if self.signal:
            os._exit(self.exit_code)
        self.signal = number
