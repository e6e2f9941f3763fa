"""Limit repeated log messages, so that no client can fill the log."""

import logging
import time

from service.process.log_config import LOGGERS

MAX_REPEATS = 5
INTERVAL = 10.0
"""Seconds in which one message template is logged at most MAX_REPEATS times."""


class RepeatLimit(logging.Filter):
    """Drops the repeats of a warning or an error beyond the limit, and says how many when it is logged again."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, int] = {}
        self._dropped: dict[str, int] = {}
        self._interval_end = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged."""
        if record.levelno < logging.WARNING:
            return True
        if time.monotonic() >= self._interval_end:
            self._begin_interval()
        template = str(record.msg)
        self._counts[template] = self._counts.get(template, 0) + 1
        if dropped := self._dropped.pop(template, 0):
            record.msg = f"{template} ({dropped} more of these were not logged.)"
        return self._counts[template] <= MAX_REPEATS

    def _begin_interval(self) -> None:
        self._interval_end = time.monotonic() + INTERVAL
        for template, count in self._counts.items():
            if count > MAX_REPEATS:  # added, because no record of the template may come in the next interval
                self._dropped[template] = self._dropped.get(template, 0) + count - MAX_REPEATS
        self._counts.clear()


def limit_repeats() -> None:
    """Limit the messages of the server, of the predictor and of asyncio."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(RepeatLimit())
